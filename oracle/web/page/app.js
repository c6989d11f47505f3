"use strict";(()=>{var No=Object.defineProperty;var vn=(e,t)=>{for(var n in t)No(e,n,{get:t[n],enumerable:!0})};var ce=class extends Error{static name="FormatError";name="FormatError"};function vt(e,t){try{return t()}catch(n){throw n instanceof
ce?new ce(`${e}: ${n.message}`):n}}function we(e,t){let n=e instanceof Uint8Array?e:Lo(e);if(n.length!==(t??n.length))throw new ce(
`${n.length} bytes, not ${t}`);return n}function z(e,t){return`0x${Array.from(we(e,t),n=>n.toString(16).padStart(2,"0")).
join("")}`}function de(e,t,n){return vt(t,()=>z(Object(e)[t],n))}function me(e){return`0x${e.map(t=>t.slice(2)).join("")}`}
function Ho(e,t){let o=t===1&&typeof e=="boolean"||typeof e=="bigint"||Number.isSafeInteger(e)?BigInt(e):-1n;if(o<0n||o>>
BigInt(t)!==0n)throw new ce(`${e}, not a number of ${t} bits`);return o}function kn(e,t,n){return vt(t,()=>Ho(Object(e)[t],
n))}function Co(e,t){return t===1?e===1n:t>48?e:Number(e)}function Ve(e,t){let n=t,r=e.map(([o,s])=>{let i=Co(BigInt.asUintN(s,n),s);return n>>=BigInt(s),[o,i]});return Object.fromEntries(
r)}function Y(e){return`0x${e.toString(16).padStart(64,"0")}`}function En(e){if(/\p{Surrogate}/u.test(e))throw new ce("h\
alf a character");return new TextEncoder().encode(e)}function le(e){return Z(En(e))}var Ue=17;function Z(e){let t=we(e),
n=new Uint8Array(t.length+8*Ue-t.length%(8*Ue));n.set(t),n[t.length]=1,n[n.length-1]|=128;let r=new DataView(n.buffer),o=new BigUint64Array(
25);for(let i=0;8*i<n.length;i++)o[i%Ue]^=r.getBigUint64(8*i,!0),i%Ue===Ue-1&&Ro(o);let s=new DataView(new ArrayBuffer(32));
for(let i=0;i<4;i++)s.setBigUint64(8*i,o[i],!0);return z(new Uint8Array(s.buffer))}function Ro(e){let t=(o,s)=>o<<BigInt(
s)|o>>BigInt(64-s),n=new BigUint64Array(5),r=1;for(let o=0;o<24;o++){for(let i=0;i<5;i++)n[i]=e[i]^e[i+5]^e[i+10]^e[i+15]^
e[i+20];for(let i=0;i<25;i++)e[i]^=n[(i+4)%5]^t(n[(i+1)%5],1);let s=e[1];for(let i=0,c=1,d=0;i<24;i++){[c,d]=[d,(2*c+3*d)%
5];let l=e[c+5*d];e[c+5*d]=t(s,(i+1)*(i+2)/2%64),s=l}for(let i=0;i<25;i+=5){let c=e.slice(i,i+5);for(let d=0;d<5;d++)e[i+
d]=c[d]^~c[(d+1)%5]&c[(d+2)%5]}for(let i=0;i<7;i++)r&1&&(e[0]^=1n<<BigInt(2**i-1)),r=r<<1^(r&128?369:0)}}function Lo(e){
if(!(typeof e=="string"&&/^0x([0-9a-f]{2})*$/i.test(e)))throw new ce("not 0x and pairs of digits");return Uint8Array.from(
e.slice(2).match(/../g)??[],n=>parseInt(n,16))}function kt(e){let t=(r,o)=>de(e,r,o),n=r=>Number(kn(e,r,53));return{chainId:n("chain_id"),registry:t("registry",20),namespaces:t(
"namespaces",20),lineage:t("lineage",20),block:n("block"),transaction:t("transaction",32),codeHash:t("code_hash",32),..."\
hardware_proofs"in Object(e)&&{hardwareProofs:t("hardware_proofs",20)}}}function Pn(e,t){let n=Object(JSON.parse(e)),r=new URLSearchParams(t),o=r.get("registry")??"",s=n.deployment?Do(n.deployment):
void 0,i=/^0x[0-9a-f]{40}$/i.test(o);return{rpcUrl:We(r.get("rpc"))??We(n.rpcUrl),secondUrl:We(r.get("rpc2"))??We(n.secondRpcUrl),
place:i?{registry:o.toLowerCase(),block:0}:s,evidence:i?void 0:Et(n.evidence),api:i?void 0:Et(n.api),blockExplorer:i?void 0:
Et(n.blockExplorer),chosenByLink:[...We(r.get("rpc"))?["node"]:[],...i?["registry"]:[]]}}function Do(e){if(!("hardware_p\
roofs"in Object(e)))return kt(e);let t={proofs:de(e,"hardware_proofs",20),proofsCodeHash:de(e,"hardware_proofs_code_hash",
32),verifier:de(e,"amd_verifier",20),verifierCodeHash:de(e,"amd_verifier_code_hash",32)};return{...kt(e),proofs:t}}function We(e){
if(typeof e=="string")try{return["http:","https:"].includes(new URL(e).protocol)?e:void 0}catch{return}}function Et(e){return typeof e==
"string"&&/^(\/|https?:\/\/)/.test(e)?e.replace(/\/+$/,""):void 0}var B=class extends Error{name="NoAnswer"},S=class extends Error{name="NotFound"},Io=8<<20,jo=2e4,Fo=3,Bo=4,Uo=5;async function Ge(e,t=Io){
let n=await Vo(e);if(n.status===404)throw new S(await An(n));if(!n.ok)throw new B(`${e}: ${n.status}: ${await An(n)}`);return _n(
n,t)}async function st(e){let t=await Ge(e);try{return JSON.parse(new TextDecoder("utf-8",{fatal:!0}).decode(t))}catch{throw new B(
`${e}: the answer is not JSON`)}}async function Vo(e){for(let t=1;;t++){let n=await Go(()=>Wo(e));if(!(n.status===503||n.
status===429)||t===Bo)return n;await n.body?.cancel();let o=Number(n.headers.get("retry-after"))||1;await new Promise(s=>setTimeout(
s,1e3*Math.min(o,Uo)))}}async function Wo(e){try{let t=AbortSignal.timeout(jo);return await fetch(e,{signal:t,redirect:"\
error",credentials:"omit",referrerPolicy:"no-referrer"})}catch(t){throw new B(`${e}: ${t instanceof Error?t.message:"fai\
led"}`)}}var Pt=0,Tn=[];async function Go(e){Pt===Fo?await new Promise(t=>Tn.push(t)):Pt++;try{return await e()}finally{
let t=Tn.shift();t?t():Pt--}}async function An(e){try{let t=JSON.parse(new TextDecoder().decode(await _n(e,65536))),{detail:n,
title:r}=Object(t);return String(n??r??e.statusText).slice(0,500)}catch{return e.statusText}}async function _n(e,t){let n=e.
body?.getReader(),r=[],o=0;for(;n;){let{done:c,value:d}=await n.read().catch(()=>{throw new B(`${e.url}: the answer brok\
e off`)});if(c)break;if(r.push(d),o+=d.length,!(o<=t))throw await n.cancel(),new B(`${e.url}: an answer of more than ${t}\
 bytes`)}let s=new Uint8Array(o),i=0;for(let c of r)s.set(c,i),i+=c.length;return s}var T=class extends Error{static name="NodeError";name="NodeError"},Xo=1<<20;function Tt(e){return async(t,n)=>{let r=JSON.stringify({jsonrpc:"2.0",id:1,...t}),s=await fetch(e,{method:"POST",headers:{
"content-type":"application/json"},body:r,signal:n,redirect:"error"}),{error:i,result:c}=Object(JSON.parse(await qo(s)));
if(i)throw i;return c}}function it(e){for(let t=0,n=e;t<5;t++){let{data:r,cause:o}=Object(n);if(typeof r=="string"&&/^0x([0-9a-f]{2})+$/i.
test(r))return we(r);n=Object(r)===r?r:o}}function Mn(e){if(e instanceof T)return e;let{message:t="the node failed"}=Object(
e);return new T(String(t).slice(0,200),{cause:e})}async function qo(e){let t=e.body?.pipeThrough(new TextDecoderStream).
getReader(),n="";for(;t;){let{done:r,value:o}=await t.read();if(r)break;if(n+=o,n.length>Xo)throw await t.cancel(),new T(
"too long an answer")}return n}var Ko=["modelDigest","manifestDigest","verdictDigest","reportDigest","policyDigest","publisherIdentity"],Jo=192,Sn=224,
zo=[["reportedTcb",64],["checks",32],["passed",1],["unused",55],["judgedAt",40],["policyId",32],["revision",16],["grade",
8],["productLine",8]],Yo=[["recordedAt",40],["signers",32],["weight",16],["epoch",16],["failed",1],["held",1],["doubtful",
1],["named",1],["unused",4],["revokedAt",40],["judgedAt",40],["policyId",32],["revisions",16],["grade",8],["productLine",
8]];function $n(e){let t=we(e);if(t.length<Sn+2)throw at(t);let n=u=>z(t.subarray(u,u+32)),{unused:r,...o}=Ve(zo,BigInt(n(Jo))),
[s,i]=On(t,Sn),[c,d]=On(t,i);if(r!==0n||(t.length-d)%32!==0)throw at(t);let l=[];for(let u=d;u<t.length;u+=32)l.push(n(u));
return{...Object.fromEntries(Ko.map((u,x)=>[u,n(32*x)])),...o,namespace:s,release:c,parents:l}}function Nn(e){let{unused:t,
...n}=Ve(Yo,e);return n}function ye(e,t){let n={modelDigest:e,manifestDigest:t};return Z(me([de(n,"modelDigest",32),de(n,
"manifestDigest",32)]))}function On(e,t){let n=t+1+(e[t]??0);if(n>e.length)throw at(e);try{return[new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}).
decode(e.subarray(t+1,n)),n]}catch{throw at(e)}}function at(e){return new ce(`${e.length} bytes, not those of a record`)}var O=(e,t,n)=>({id:e,title:t,meaning:n}),Te=[O("report-format","Attestation report","The chip's report is well formed."),
O("endorsements-format","AMD's certificates","The certificates are well formed and have AMD's extensions."),O("product-l\
ine","Processor line","Report and certificates name the same line of AMD processors."),O("vek-chain","Chain to AMD's roo\
t","AMD's root vouches for the key of this chip."),O("vek-validity","Certificate dates","Every certificate was valid at \
the moment of judgement."),O("vek-revocation","AMD's revocation list","AMD had not withdrawn the intermediate key."),O("\
vek-match","Certificate of this chip","The certificate is that of the chip and firmware in the report."),O("report-signa\
ture","The chip's signature","This chip signed the report."),O("guest-policy","Rules of the VM","Nobody could debug the \
VM or move it to another machine."),O("platform-info","State of the machine","Memory protection of the machine was as re\
quired."),O("vmpl","Privilege level","The report comes from the VM's most trusted software."),O("tcb-floor","Firmware ag\
e","No firmware is older than the oldest version that the policy allows."),O("tcb-consistency","Firmware versions agree",
"The versions that the report tells do not contradict each other."),O("mitigations","Mitigations","The firmware's report\
ed mitigations are as required."),O("measurement","Software of the VM","The VM was launched with a software image that t\
he policy names."),O("host-data","Host data","The data that the host gave the VM is as required."),O("id-key","Identity \
key of the VM","The VM was launched with an identity key that the policy names."),O("chip-allow-list","Allowed chips","T\
he chip is on the policy's list."),O("key-binding","Key of the VM","The chip's report names the key that only this VM ha\
d."),O("manifest-format","Manifest","The list of files and sources is well formed."),O("manifest-signature","Signature o\
f the manifest","The VM's key signed the manifest."),O("file-set","Set of files","There is no file more and no file fewe\
r than the manifest names."),O("file-digests","Bytes of the files","Every byte of every file is as the manifest says."),
O("publisher-signature","Publisher's signature","The publisher signed the manifest and the files."),O("publisher-identit\
y","Publisher's identity","The signer is the one whom the manifest names."),O("lineage","Ancestors","The models it was m\
ade from have records of their own."),O("registry-record","Record on chain","The record on chain is of this release and \
active."),O("gpu-evidence","GPU evidence","NVIDIA's root vouches for a genuine GPU and a report made for the VM's key.")],
Cn=new Map(Te.map(e=>[e.id,e]));function Rn(e){return Te[e]?.id??`check ${e}`}function ct(e){return Cn.get(e)?.title??e}
function Ln(e){return Cn.get(e)?.meaning??"A check that is newer than this page."}var K="simulated",j="no confidential h\
ardware",Zo={1:"Milan",2:"Genoa",3:"Turin",254:j,255:K};function Xe(e){return Zo[e]??`line ${e}`}function dt(e){return`${e}\
 (${["not graded","baseline","strict"][e]??"newer than this page"})`}var Qo={failed:"the verdict is FAILED",revoked:"the\
 record was revoked",held:"the record is held: its namespace does not trust the publisher",doubtful:"the record is doubt\
ful: oracle keys that signed it were revoked",superseded:"the record was superseded"};function Dn(e){return e.passed?e.revoked_at!==
null?"revoked":e.held?"held":e.doubtful?"doubtful":e.revisions>e.revision?"superseded":null:"failed"}function At(e){return Qo[e]}
function In(e){let t=e.closure?[At(e.closure)]:[];return e.product_line===K&&t.push("the hardware was simulated"),e.product_line===
j&&t.push("the release has only a signature: no confidential hardware"),t.join("; ")||"the contract says so"}var es=[["c\
laimed by","account"],["took in the record","record"],["held the record","record"],["released the record","record"],["tr\
usts the publisher","identity"],["proposed the publisher","identity"],["dropped the publisher","identity"],["offered to",
"account"],["handed over to","account"],["adopted the record","record"]];function jn(e){return es[e]??[`entry of kind ${e}`,
"record"]}var Hn={Milan:[["bootloader",0],["tee",1],["snp",6],["microcode",7]],Genoa:[["bootloader",0],["tee",1],["snp",
6],["microcode",7]],Turin:[["fmc",0],["bootloader",1],["tee",2],["snp",3],["microcode",7]]};function xe(e,t){let n=Object.
hasOwn(Hn,e)?Hn[e]:void 0;return!n||!/^[0-9a-f]{16}$/.test(t)?t:n.map(([r,o])=>`${r} ${parseInt(t.slice(2*o,2*o+2),16)}`).
join(", ")}var ts=15e3,Fn=500,Bn=400,Un=2e4,_t=class{constructor(t,n,r){this.ask=t;this.chainId=n;this.block=r}ask;chainId;block;async call(t,n,...r){
let o=me([`0x${le(n).slice(2,10)}`,...r.map(ns)]),s=await this.question("eth_call",[{to:t,data:o},qe(this.block)]);return rs(
s,`${n} at ${t}`)}async callOne(t,n,...r){let[o]=await this.call(t,n,...r);if(o===void 0)throw new T(`no answer of ${n} \
at ${t}`);return o}async tryCall(t,n,...r){try{return await this.call(t,n,...r)}catch(o){if(o instanceof T&&it(o.cause))
return null;throw o}}async logs(t,n,r,o,s=this.block){let i={address:t,topics:[le(n),...r]},c=[],[d,l]=[o,Math.max(1,s-o+
1)];for(let h=0;d<=s;h++){if(h===Bn)throw new T(`more than ${Bn} requests for one list of events`);let u=Math.min(s,d+l-
1);try{let x={...i,fromBlock:qe(d),toBlock:qe(u)};c.push(...os(await this.question("eth_getLogs",[x]))),d=u+1}catch(x){if(l<=
Fn)throw x;l=Math.max(Fn,Math.floor(l/4))}if(c.length>Un)throw new T(`more than ${Un} events`)}return c}async timeOf(t){
let n=Object(await this.question("eth_getBlockByNumber",[qe(t),!1]));return Je(n.timestamp,"timestamp")}async codeOf(t){
let n=await this.question("eth_getCode",[t,qe(this.block)]);return Ke(n,"code")}question(t,n){return Mt(this.ask,t,n)}};
async function Vn(e,t){let[n,r]=await Promise.all([Mt(e,"eth_chainId",[]),Mt(e,"eth_blockNumber",[])]),o=Je(n,"chain id");
if(t!==void 0&&o!==t)throw new T(`the node is of chain ${o}, not ${t}`);return new _t(e,o,Je(r,"block number"))}function fe(e){
return BigInt(e??0)}function M(e){let t=fe(e);if(t>BigInt(Number.MAX_SAFE_INTEGER))throw new T(`an impossible number: ${t}`);
return Number(t)}function ne(e){return`0x${(e??Y(0n)).slice(26)}`}function ee(e){return Array.from({length:Math.floor(e.
length/32)},(t,n)=>z(e.subarray(32*n,32*n+32)))}async function Mt(e,t,n,r=ts){try{return await e({method:t,params:n},AbortSignal.
timeout(r))}catch(o){throw Mn(o)}}function ns(e){return typeof e=="string"?`0x${e.slice(2).padStart(64,"0")}`:Y(BigInt(e))}
function qe(e){return`0x${e.toString(16)}`}function rs(e,t){let n=Ke(e,t);if(n.length===0||n.length%32!==0)throw new T(`\
no registry answers ${t}`);return ee(n)}function Ke(e,t){try{return we(e)}catch(n){throw new T(`${t}: not bytes`,{cause:n})}}
function Je(e,t){let n=typeof e=="string"&&/^0x[0-9a-f]{1,13}$/i.test(e)?Number(e):NaN;if(!Number.isSafeInteger(n))throw new T(
`${t}: not a number`);return n}function os(e){if(!Array.isArray(e))throw new T("events: not a list");return e.map(t=>{let{
topics:n,data:r,blockNumber:o,logIndex:s,transactionHash:i}=Object(t);if(!Array.isArray(n)||n.length>4)throw new T("an e\
vent without topics");return{topics:n.map(c=>z(Ke(c,"topic"))),data:Ke(r,"event"),block:Je(o,"block number"),index:Je(s,
"log index"),transaction:z(Ke(i,"transaction"))}})}var I={standingById:"standingById(bytes32)",contentOf:"contentOf(bytes32)",epochOf:"epochOf(uint16)",oracleAt:"oracleAt(\
uint16,uint8)",revokedModelTime:"revokedModelTime(bytes32)",isOpen:"isOpen(bytes32,uint8)",namespaces:"namespaces()",lineage:"\
lineage()",namespaceOf:"namespaceOf(bytes32)",headOf:"headOf(bytes32)",recordOfName:"recordOfName(bytes32,bytes32)",ancestorsOf:"\
ancestorsOf(bytes32,bool)",batchOf:"batchOf(bytes32)",policyIdOf:"policyIdOf(bytes32)",proofOf:"proofOf(bytes32)",identityOf:"\
identityOf(bytes32)",verifier:"verifier()",registry:"registry()"},re={RecordPublished:"RecordPublished(bytes32,bytes32,b\
ytes32,uint256,bytes)",LeafClosed:"LeafClosed(bytes32,bytes32,uint8)",Recounted:"Recounted(bytes32,uint32,uint16,bool)",
RecordRevoked:"RecordRevoked(bytes32,address,uint40,string)",ModelRevoked:"ModelRevoked(bytes32,address,uint40,string)",
ModelRevocationApplied:"ModelRevocationApplied(bytes32,bytes32,uint40)",NamespaceEntry:"NamespaceEntry(bytes32,uint48,ui\
nt8,bytes32,uint40,uint256)",ReleaseProven:"ReleaseProven(bytes32,bytes32,bytes32,uint256,bytes32)"};function Gn(e){let t=St(e);try{let n=$n(z(t));return{record:n,recordId:Ot(n),content:Z(t),first:fe(ee(e.data)[0]),log:e}}catch(n){
throw new T("an event that is no record",{cause:n})}}function St(e){let t=M(ee(e.data)[2]),n=e.data.subarray(96,96+t);if(n.
length!==t)throw new T("a record that is cut off");return n}function Ot(e){let{modelDigest:t,manifestDigest:n,verdictDigest:r,
passed:o,revision:s}=e;if(!o)return Z(me([t,n,r]));let i=ye(t,n),c=`0x${s.toString(16).padStart(4,"0")}`;return s===0?i:
Z(me([i,c]))}async function $t(e,t,n){let r=await e.call(t,I.standingById,n);if(r.length!==14)throw new T("no registry a\
nswers standingById");let o=x=>M(r[x]),[s,i,c,d]=[o(0),o(1),o(6),o(7)],[l,h,u]=[o(11)===1,o(12)===1,o(13)===1];return{recordedAt:s,
revokedAt:i,signers:fe(r[4]),epoch:c,revisions:d,held:l,doubtful:h,named:u}}async function Nt(e,t,n){let{record:r,recordId:o,
content:s,log:i}=n,c=ye(r.modelDigest,r.manifestDigest),[d,l,h,u]=await Promise.all([e.callOne(t,I.contentOf,o),$t(e,t,o),
e.callOne(t,I.revokedModelTime,r.modelDigest).then(M),e.callOne(t,I.isOpen,c,0).then(M)]);if(d!==s)throw new T(`the even\
t's record is not the one that the contract keeps: ${o}`);let[x,F]=await ss(e,t,l),X=F.reduce((Se,ot)=>Se+(ot.counts?ot.
weight:0),0),b={...Ht(r),recorded_at:q(l.recordedAt),epoch:l.epoch,threshold:x,weight:X,signers:F,batch:null,revoked_at:Wn(
l.revokedAt,h),model_revoked_at:Wn(h),held:l.held,doubtful:l.doubtful||X<x,named:l.named,revisions:l.revisions,gate_open:r.
passed&&u===1,block:i.block,transaction:i.transaction,gas_used:null},G=Dn(b),Pe={closure:G,active:G===null,closed_because:G&&
At(G)};return{...b,...Pe,gate_shut_because:b.gate_open?null:In({...b,closure:G})}}function ze({namespace:e,release:t}){let n=t.
lastIndexOf("@");return{name:`${e}/${t.slice(0,n)}`,version:t.slice(n+1)}}function Xn(e){let[t,n,r]=[e.model_digest,e.manifest_digest,
e.verdict_digest].map(V),o=Ot({modelDigest:t,manifestDigest:n,verdictDigest:r,passed:e.passed,revision:e.revision});return e.
record_id===C(o)&&e.release_id===C(ye(t,n))}function Ht(e){return{release_id:C(ye(e.modelDigest,e.manifestDigest)),record_id:C(
Ot(e)),...ze(e),manifest_digest:C(e.manifestDigest),model_digest:C(e.modelDigest),verdict_digest:C(e.verdictDigest),report_digest:C(
e.reportDigest),policy_digest:C(e.policyDigest),policy_id:e.policyId,publisher_identity:C(e.publisherIdentity),passed:e.
passed,revision:e.revision,grade:e.grade,product_line:Xe(e.productLine),reported_tcb:Ct(e.reportedTcb),passed_checks:Ye(
BigInt(e.checks)).map(Rn),parents:e.parents.map(C),judged_at:q(e.judgedAt)}}async function ss(e,t,n){let r=e.call(t,I.epochOf,
n.epoch),o=Ye(n.signers).map(async c=>{let[d,l,h,u]=await e.call(t,I.oracleAt,n.epoch,c),x=M(h)<=n.recordedAt?ne(d):null;
return{index:c,address:x,weight:M(l),counts:M(u)>n.recordedAt}}),[[s],i]=await Promise.all([r,Promise.all(o)]);return[M(
s),i]}function C(e){return e.slice(2)}function V(e){return`0x${e}`}function q(e){let t=new Date(1e3*e);return Number.isNaN(
t.getTime())?`${e} s`:t.toISOString().replace(".000Z","Z")}function Wn(...e){let t=e.filter(n=>n>0);return t.length>0?q(
Math.min(...t)):null}function Ye(e){return Array.from({length:32},(t,n)=>n).filter(t=>e>>BigInt(t)&1n)}function Ct(e){return Y(
e).slice(-16).match(/../g).reverse().join("")}var oe=class extends Error{name="ShapeError"},is=65536,qn=1e4,m=(e,t)=>{if(typeof e!="string"||e.length>is)throw Oe(t,"t\
ext");return e},w=(e,t)=>{if(!Number.isSafeInteger(e)||e<0)throw Oe(t,"a whole number");return e},Q=(e,t)=>{if(typeof e!=
"boolean")throw Oe(t,"true or false");return e},$=(e,t)=>Jn(e,t,/^[0-9a-f]{64}$/,"64 hex digits"),Ze=(e,t)=>Jn(e,t,/^0x[0-9a-f]{40}$/i,
"an address"),Kn=e=>e;function f(e){return(t,n)=>t==null?null:e(t,n)}function N(e){return(t,n)=>{if(!Array.isArray(t)||t.
length>qn)throw Oe(n,`a list of at most ${qn}`);return t.map((r,o)=>e(r,`${n}[${o}]`))}}function v(e){return(t,n)=>{if(typeof t!=
"object"||t===null||Array.isArray(t))throw Oe(n,"an object");let r=t,o=Object.entries(e).map(([s,i])=>[s,i(r[s],`${n}.${s}`)]);
return Object.fromEntries(o)}}function Jn(e,t,n,r){if(typeof e!="string"||!n.test(e))throw Oe(t,r);return e}function Oe(e,t){
return new oe(`${e}: not ${t}`)}var as=(e,t)=>Ze(e,t).toLowerCase(),cs=v({index:w,address:f(as),weight:w,counts:Q}),ds=v({release_id:$,record_id:$,name:m,
version:m,manifest_digest:$,model_digest:$,verdict_digest:$,report_digest:$,policy_digest:$,policy_id:w,publisher_identity:$,
passed:Q,revision:w,grade:w,product_line:m,reported_tcb:m,passed_checks:N(m),parents:N($),judged_at:m,recorded_at:m,epoch:w,
threshold:w,weight:w,signers:N(cs),batch:f(v({root:$,leaf:w})),revoked_at:f(m),model_revoked_at:f(m),held:Q,doubtful:Q,named:Q,
revisions:w,active:Q,closure:f(m),closed_because:f(m),gate_open:f(Q),gate_shut_because:f(m),block:f(w),transaction:f(m),
gas_used:f(w)}),Ae=v({entries:N(ds),total:f(w),next_cursor:f(m)}),ls=v({event:m,time:f(m),name:f(m),version:f(m),revision:f(
w),passed:f(Q),epoch:f(w),signers:f(N(w)),weight:f(w),held:f(Q),doubtful:f(Q),effective_from:f(m),reason:f(m),guardian:f(
Ze),root:f($),index:f(w),block:w,transaction:m}),fs=v({name:m,from_version:m,to_version:m,from_publisher:$,to_publisher:$,
recorded_at:m}),Rt=v({name:m,owner:f(Ze),claimed_at:f(m),identity_limit:f(w),first_uses:f(w),identities:f(N($)),history_entries:f(
w)}),zn=v({child:$,parent:$,attested:Q}),Yn=v({number:w,kind:w,subject:$,seconds:w,head:$,block:w}),Zn=v({events:N(ls),namespaces:f(
N(Rt)),publisher_changes:f(N(fs))}),Qn=v({release_id:$,child:$,depth:w,attested:Q,open:Q,name:f(m),version:f(m)});function lt(e){
return e.map(({child:t,release_id:n,attested:r})=>({child:t,parent:n,attested:r}))}var Lt=v({kind:m,name:f(m),version:f(
m),record_id:f($),model_digest:f($),manifest_digest:f($),recorded_at:f(m),product_line:f(m),closure:f(m),digest:f($),found_by:f(
m)}),er=v({found_by:f(m),results:N(Lt),next_cursor:f(m),compared:f(N(m))}),tr=v({check:m,outcome:m,got:m,wanted:m}),us=v(
{path:m,size:w,sha256:$}),nr=v({files:N(us)}),rr=v({digest:$,number:f(w),name:f(m),date:f(m),text:f(m),rules:f(N(v({rule:m,
value:Kn}))),records:f(w)}),or=v({digest:$,records:f(w),namespaces:f(N(m))}),sr=v({by_day:N(v({day:m,releases:w,batches:w,
gas:f(w)})),oracles:N(v({address:m,epoch:f(w),signed:w,of:w})),firmware:N(v({product_line:m,reported_tcb:m,day:m,count:w}))}),
ir=v({chain_id:f(w),registry:f(Ze),head:f(w),indexed_until:f(w),lag_blocks:f(w),deployment:f(v({block:w}))});var hs=v({lineage:N(v({ancestors:N(Qn)})),edges:f(N(zn)),descendants:f(N(Lt))}),ms=v({entries:N(Yn)}),Ne=class{constructor(t){
this.api=t}api;async entries(t){let n=await this.get(`/records/${t}`,Ae),r=n.entries.find(o=>!Xn(o));if(r)throw new B(`/\
records/${t}: a record whose id is not that of its digests: ${r.record_id}`);return n}named(t){return this.get(`/records${$e(
{name:t,limit:"100"})}`,Ae)}recent(t){return this.get(`/recent${$e({cursor:t,limit:"20"})}`,Ae)}search(t,n){return this.
get(`/search${$e({q:t,cursor:n,limit:"30"})}`,er)}history(t){return this.get(`/records/${t}/history`,Zn)}async lineage(t){
let{lineage:n,edges:r,descendants:o}=await this.get(`/records/${t}/lineage`,hs),s=n.flatMap(i=>i.ancestors);return{ancestors:s,
edges:r??lt(s),descendants:o??[]}}namespace(t){return this.get(`/namespaces/${Dt(t)}`,Rt)}async namespaceHistory(t){return(await this.
get(`/namespaces/${Dt(t)}/history`,ms)).entries}namespaceRecords(t,n){return this.get(`/namespaces/${Dt(t)}/records${$e(
{cursor:n})}`,Ae)}identity(t){return this.#n(`/identities/${t}`,or,t)}identityRecords(t,n){return this.get(`/identities/${t}\
/records${$e({cursor:n})}`,Ae)}policy(t){return this.#n(`/policies/${t}`,rr,t)}policyRecords(t,n){return this.get(`/poli\
cies/${t}/records${$e({cursor:n})}`,Ae)}statistics(){return this.get("/statistics",sr)}status(){return this.get("/status",
ir)}async#n(t,n,r){let o=await this.get(t,n);if(o.digest!==r)throw new B(`${t}: an answer about ${o.digest}`);return o}async get(t,n){
try{return n(await st(this.api+t),"answer")}catch(r){throw r instanceof oe?new B(`${t}: ${r.message}`):r}}};function Dt(e){
return encodeURIComponent(e)}function $e(e){let t=Object.entries(e).filter(n=>n[1]!==void 0);return t.length>0?`?${new URLSearchParams(
t)}`:""}var ys=200,gs=16;function cr(e,t,n,r){return async(o,s)=>{let[i,c]=await Promise.all([ar(e,o,s),ar(t,o,s)]);if(o.method===
"eth_blockNumber"&&i.isAnswer&&c.isAnswer&&bs(i.value,c.value)<=gs)return ws(i.value,c.value);if(!c.isAnswer)r(c.shown);else if(i.
isAnswer&&i.shown!==c.shown){let[l,h]=[i.shown,c.shown].map(u=>u.slice(0,ys));n({what:o.method,first:l,second:h})}if(i.error!==
void 0)throw i.error;return i.value}}async function ar(e,t,n){try{let r=await e(t,n);return{isAnswer:!0,shown:It(r),value:r}}catch(r){
let o=it(r),s=r instanceof Error?r.message:String(Object(r).message??"failed");return{isAnswer:o!==void 0,shown:o?`rever\
ts: ${z(o)}`:s,error:r??"failed"}}}function It(e){if(Array.isArray(e))return e.map(It).join(", ")||"nothing";if(typeof e!=
"object"||e===null)return String(e).toLowerCase();let t=["address","topics","data","blockHash","blockNumber","transactio\
nHash","logIndex","hash","timestamp"],n=e;return t.filter(r=>r in n).map(r=>`${r} ${It(n[r])}`).join(" ")}function bs(e,t){
return Math.abs(Number(e)-Number(t))}function ws(e,t){return Number(e)<=Number(t)?e:t}var xs={time:null,name:null,version:null,revision:null,passed:null,epoch:null,signers:null,weight:null,held:null,doubtful:null,
effective_from:null,reason:null,guardian:null,root:null,index:null};async function lr(e,t,n,r,o){let[s]=r;if(s===void 0)
return[];let{modelDigest:i,manifestDigest:c}=s.record,d=ye(i,c),l=[...new Set([d,...r.map(b=>b.recordId)])],h=async(b,G,Pe)=>(await e.
logs(t,b,[G],n)).map(Se=>jt(Se,Pe(Se))),u=await Promise.all([h(re.RecordRevoked,d,b=>dr("revoked",b)),h(re.ModelRevoked,
i,b=>dr("model_revoked",b)),h(re.ModelRevocationApplied,d,b=>({event:"revocation_applied",effective_from:q(M(ee(b.data)[0]))})),
...l.map(b=>h(re.Recounted,b,Ps)),...l.map(b=>h(re.LeafClosed,b,Ts))]),x=new Set(r.map(({content:b})=>C(b))),F=o.filter(
({kind:b,subject:G})=>(b===3||b===9)&&x.has(G));return[...r.map(b=>jt(b.log,ks(b))),...u.flat(),...F.map(Es)].sort((b,G)=>b.
place-G.place).map(({event:b})=>b)}var vs=1<<20;function jt({block:e,index:t,transaction:n},r){return{place:e*vs+t,event:{
...xs,...r,block:e,transaction:n}}}function ks({record:e,first:t}){let n=Nn(t);return{event:e.revision===0?"published":"\
superseded",time:q(n.recordedAt),...ze(e),revision:e.revision,passed:e.passed,epoch:n.epoch,signers:Ye(BigInt(n.signers)),
weight:n.weight,held:n.held}}function Es({kind:e,seconds:t,block:n}){let r=e===9?"adopted":"released";return jt({block:n,
index:0,transaction:Y(0n)},{event:r,time:q(t)})}function Ps(e){let[t,n,r]=ee(e.data).map(M);return{event:"recounted",signers:Ye(
BigInt(t??0)),weight:n??0,doubtful:r===1}}function Ts(e){return{event:"leaf_closed",root:C(e.topics[2]??Y(0n)),index:M(ee(
e.data)[0])}}function dr(e,t){let n=ee(t.data),r=M(n[2]),o=new TextDecoder().decode(t.data.subarray(96,96+r));return{event:e,
effective_from:q(M(n[0])),reason:o,guardian:ne(t.topics[2])}}var Ft=208n;function fr(e){let t=0n;for(let[n,{number:r,kind:o,subject:s,seconds:i,head:c}]of e.entries())if(t=As(t,o,V(
s),i),r!==n+1||t!==BigInt(`0x${c}`))return{head:t,wrongAt:n+1};return{head:t,wrongAt:null}}function As(e,t,n,r){let o=BigInt(
Z(me([Y(e),Y(BigInt(t)),n,Y(BigInt(r))])));return(e>>Ft)+1n<<Ft|o&(1n<<Ft)-1n}async function ur(e,t,n){return fe(await e.
callOne(t,I.headOf,le(n)))}async function pr(e,t,n){let[r,o,s,i]=await e.call(t,I.namespaceOf,le(n));return fe(r)===0n?null:
{name:n,owner:ne(r),claimed_at:q(M(o)),identity_limit:M(s),first_uses:M(i),identities:null,history_entries:null}}async function Bt(e,t,n,r){
return(await e.logs(t,re.NamespaceEntry,[le(n)],r)).map(_s)}function hr(e){let t=new Set;for(let{kind:n,subject:r}of e)n===
4&&t.add(r),n===6&&t.delete(r);return[...t]}function mr(e){let t=e.findLast(({kind:n})=>n===0||n===8);return t&&`0x${t.subject.
slice(24)}`}function _s(e){let[t,n,r]=ee(e.data);return{number:M(e.topics[2]),kind:M(e.topics[3]),subject:C(t??Y(0n)),seconds:M(
n),head:C(r??Y(0n)),block:e.block}}var Ms=[["provenAt",40],["guestPolicy",26],["platformInfo",8],["vmpl",2],["fromHost",1],["namesNoChip",1],["isVlek",1],[
"productLine",8],["reportVersion",8],["lowestTcb",64],["cpuid",24],["certificateLine",8],["intermediate",16],["",48],["r\
evoked",1]],yr=3n<<58n|7n<<74n|1n<<86n;function gr(e){let{"":t,...n}=Ve(Ms,e);return n}var Ss=1n<<255n,Os=(1n<<48n)-1n<<207n;function Ut(e){let t=gr(e);if(e>>256n||e&Os||t.provenAt===0)throw new T(`no proof:\
 0x${e.toString(16)}`);return{provenAt:t.provenAt,isSimulated:Xe(t.productLine)===K,line:Xe(t.certificateLine),key:t.isVlek?
"VLEK":"VCEK",lowestTcb:Ct(t.lowestTcb),vmpl:t.vmpl,isRevoked:t.revoked,opensGate:!t.revoked&&!(e&yr)}}async function br(e,t,n,r){
let o=ye(...n),s=fe(await e.callOne(t,I.proofOf,o));if(s===0n)return null;let i=Ut(s),[c,d]=await Promise.all([e.logs(t,
re.ReleaseProven,n,r),e.callOne(t,I.identityOf,o)]),l=c.at(-1);if(!l)throw new T("the node tells a proof and keeps back \
its event");let[,h,u,x]=l.topics,[F,X]=ee(l.data);if(!(h===n[0]&&u===n[1]&&X===d)||!x||fe(F)!==(s&~Ss))throw new T("the \
proof differs from its event");if(await e.timeOf(l.block)!==i.provenAt)throw new T("the proof has another time than its \
block");return{...i,identity:C(d),reportDigest:C(x),block:l.block,transaction:l.transaction}}async function wr(e,t,n){let[
r,o,s,i]=await Promise.all([e.codeOf(t.proofs),e.codeOf(t.verifier),e.callOne(t.proofs,I.verifier).then(ne),e.callOne(t.
proofs,I.registry).then(ne)]);if(!(Z(r)===t.proofsCodeHash&&Z(o)===t.verifierCodeHash))throw new T(`other code at ${t.proofs}\
 or ${t.verifier} than the deployment has`);if(!(s===t.verifier&&i===n))throw new T(`the contract ${t.proofs} has anothe\
r verifier or registry than the deployment`)}var Vt=50,$s=12,Ns=5e3,ft=class{constructor(t,n,r,o){this.place=t;this.first=Tt(n),this.#n=r?cr(this.first,Tt(r),s=>o.differs(
s),s=>o.isSilent(s)):this.first}place;first;#n;#r;#t=0;#i;async status(){let{node:t}=await this.#e();return{chainId:t.chainId,
block:t.block,at:q(await t.timeOf(t.block))}}async entries(t){let n=V(t),r=await Promise.all([this.#o([n]),this.#o([null,
n]),this.#o([null,null,n])]),o=r.flat().length>0?[]:await this.#c(n);return this.#a([...r.flat(),...o])}async entry(t){let{
node:n,registry:r}=await this.#e(),o=t.block===null?[]:[t.block,t.block],s=[V(t.model_digest),V(t.manifest_digest)],c=(await this.#o(
s,...o)).find(({recordId:d})=>C(d)===t.record_id);return c?Nt(n,r,c):null}async history(t){let{node:n,registry:r,namespaces:o}=await this.#e(),
[s=""]=t.name.split("/"),[i,c]=await Promise.all([this.#o([V(t.model_digest),V(t.manifest_digest)]),Bt(n,o,s,this.#s())]);
return lr(n,r,this.#s(),i,c)}async namespace(t){let{node:n,namespaces:r}=await this.#e();return pr(n,r,t)}async namespaceHistory(t){
let{node:n,namespaces:r}=await this.#e();return Bt(n,r,t,this.#s())}async head(t){let{node:n,namespaces:r}=await this.#e();
return ur(n,r,t)}async namespaceRecords(t){let n=await this.namespaceHistory(t),o=[...new Set(n.filter(({kind:i})=>[1,2,
9].includes(i)).map(({block:i})=>i))].sort((i,c)=>c-i).slice(0,Vt),s=await Promise.all(o.map(i=>this.#o([],i,i)));return this.#a(
s.flat().filter(({record:i})=>i.namespace===t))}async named(t,n,r){let o=await this.namespaceRecords(t),s=`${t}/${n}`,i=o.
entries.filter(c=>c.name===s&&(r??c.version)===c.version);return{entries:i,total:i.length,next_cursor:null}}async recordOfName(t,n){
let{node:r,namespaces:o}=await this.#e(),s=[le(t),le(n)],i=await r.callOne(o,I.recordOfName,...s);return BigInt(i)===0n?
null:C(i)}async lineage(t){let{node:n,lineage:r}=await this.#e(),o=await n.tryCall(r,I.ancestorsOf,V(t.release_id),!0);if(o===
null)throw new T("the contract lists no lineage of more than 32 ancestors, or 16 steps");let s=M(o[1]);if(o.length!==2+5*
s)throw new T(`${o.length} words for ${s} ancestors`);let i=Array.from({length:s},(c,d)=>o.slice(2+5*d,7+5*d));return Promise.
all(i.map(async([c="0x",d="0x",l,h,u],x)=>{let[F]=x<$s?await this.#c(c):[],{name:X,version:b}=F?ze(F.record):{name:null,
version:null};return{release_id:C(c),child:C(d),depth:M(l),attested:M(h)===1,open:M(u)===1,name:X,version:b}}))}async recent(){
return this.#a(await this.#o([]))}async hasBatch(t){let{node:n,registry:r}=await this.#e();return M(await n.callOne(r,I.
batchOf,V(t)))>0}get proofs(){return this.place.proofs?.proofs}async proof({model_digest:t,manifest_digest:n}){let{place:r}=this;
if(!r.proofs)throw new T("this registry has no contract for proofs");let{node:o,registry:s}=await this.#e();return this.#i??=
wr(o,r.proofs,s),this.#i.catch(()=>this.#i=void 0),await this.#i,br(o,r.proofs.proofs,[V(t),V(n)],this.#s())}async recordBytes(t){
if(!t.active||t.batch)return null;let n=[V(t.model_digest),V(t.manifest_digest)],r=(await this.#o(n)).find(({recordId:o})=>C(
o)===t.record_id);return r?z(St(r.log)):null}renew(){this.#r=void 0}async policyNumber(t){let{node:n,registry:r}=await this.#e();
return M(await n.callOne(r,I.policyIdOf,V(t)))||null}#s(){return this.place.block}#e(){return(!this.#r||Date.now()-this.#t>
Ns)&&(this.#t=Date.now(),this.#r=this.#d(),this.#r.catch(()=>this.#r=void 0)),this.#r}async#d(){let{registry:t,chainId:n,
codeHash:r}=this.place,o=await Vn(this.#n,n),[s,i,c]=await Promise.all([o.callOne(t,I.namespaces).then(ne),o.callOne(t,I.
lineage).then(ne),r?o.codeOf(t):void 0]);if(c&&Z(c)!==r)throw new T(`other code at ${t} than the deployment has`);return{
node:o,registry:t,namespaces:s,lineage:i}}async#o(t,n=this.#s(),r){let{node:o,registry:s}=await this.#e();return(await o.
logs(s,re.RecordPublished,t,n,r)).slice(-Vt).reverse().map(Gn)}async#c(t){let{node:n,registry:r}=await this.#e(),{recordedAt:o}=await $t(
n,r,t);if(o===0)return[];let[s,i]=await Promise.all([o,o+1].map(d=>Hs(n,d,this.#s())));return(await this.#o([],s,i)).filter(
({recordId:d})=>d===t)}async#a(t){let{node:n,registry:r}=await this.#e(),o=[...new Map(t.map(i=>[i.recordId,i])).values()].
sort((i,c)=>c.log.block-i.log.block||c.log.index-i.log.index).slice(0,Vt),s=await Promise.all(o.map(i=>Nt(n,r,i)));return{
entries:s,total:s.length,next_cursor:null}}};async function Hs(e,t,n){let[r,o]=[n,e.block];for(;r<o;){let s=Math.floor((r+
o)/2);await e.timeOf(s)<t?r=s+1:o=s}return r}var vr="check.js",kr="prove.js",Er="worker.js",xr,Wt=new Map;function _e(){return Tr(vr,"provenanceCheck")}function Pr(){
return Tr(kr,"provenanceProve")}function Tr(e,t){let n=Wt.get(e);if(n)return n;let r=new Promise((o,s)=>{let i=document.
createElement("script");i.src=Ar(e),i.onload=()=>o(globalThis[t]),i.onerror=()=>{Wt.delete(e),s(new Error(`${e} does not\
 load`))},document.head.append(i)});return Wt.set(e,r),r}function Gt(){return location.protocol==="file:"?void 0:new Worker(
Ar(Er))}function Ar(e){let t={createScriptURL(r){if(![vr,kr,Er].includes(r))throw new TypeError(`another script: ${r}`);
return r}},{trustedTypes:n}=globalThis;return xr??=n?.createPolicy("worker",t)??t,xr.createScriptURL(e)}var Cs=new Set(["gas_used","batch","block","transaction","gate_shut_because"]);function _r(e,t){return Object.keys(t).filter(
r=>!Cs.has(r)).map(r=>({field:r,index:JSON.stringify(e[r]),chain:JSON.stringify(t[r])})).filter(({index:r,chain:o})=>r!==
o)}async function Mr(e,t,n){if(t.batch)return Rs(e,t,t.batch,await n());let r=await e.entry(t);return r?_r(t,r):[Sr("rec\
ord",t.record_id)]}async function Rs(e,t,n,r){let[{provenBy:o},s]=await Promise.all([_e(),e.hasBatch(n.root)]);if(!s)return[
Sr("batch",n.root)];let i=o(r);if("problem"in i)return[{field:"proof",index:"a proof",chain:i.problem}];let[c,d]=[n,i].map(
({root:h,leaf:u})=>`root ${h}, leaf ${u}`);return[...c===d?[]:[{field:"batch",index:c,chain:d}],..._r(t,Ht(i.record))]}function Sr(e,t){
return{field:e,index:t,chain:"none"}}var ut=class{constructor(t,n){this.config=t;this.watcher=n;let{rpcUrl:r,secondUrl:o,place:s,api:i}=t;this.rest=i?new Ne(
i):void 0,this.chain=r&&s?new ft(s,r,o,n):void 0}config;watcher;rest;chain;#n;get isConfigured(){return this.rest!==void 0||
this.chain!==void 0}entries(t){return this.#t(n=>n.entries(t),n=>n.entries(t))}async release(t,n){let{entries:r}=await this.
entries(n);return r.filter(s=>s.model_digest===t&&s.manifest_digest===n).sort((s,i)=>Number(i.passed)-Number(s.passed)||
i.revision-s.revision)}recent(t){return this.#t(n=>n.recent(t),n=>n.recent())}history(t){return this.#t(async n=>{let{events:r,
publisher_changes:o}=await n.history(t.record_id);return{events:r,changes:o??[]}},async n=>{let[r,o]=await Promise.all([
n.history(t),Ls(n,t)]);return{events:r,changes:o}})}lineage(t){return this.#t(n=>n.lineage(t.record_id),async n=>{let r=await n.
lineage(t);return{ancestors:r,edges:lt(r),descendants:[]}})}async releases(t){let[n="",r=""]=t.split("/"),{entries:o}=await this.#t(
s=>s.named(t),s=>s.named(n,r,void 0));return o.filter(({passed:s})=>s)}namespace(t){return this.#t(n=>Ds(n.namespace(t)),
n=>n.namespace(t))}namespaceHistory(t){return this.#t(n=>n.namespaceHistory(t),n=>n.namespaceHistory(t))}namespaceRecords(t,n){
return this.#t(r=>r.namespaceRecords(t,n),r=>r.namespaceRecords(t))}async confirm(t){return!this.rest||!this.chain?null:
Mr(this.chain,t,()=>this.proof(t.batch))}async own(t){return this.rest&&this.chain&&!t.batch?this.chain.entry(t):t}async verdict(t){
let{api:n}=this.config;if(!n)throw new S("no oracle's address is configured, so its verdict is not at hand");return Ge(`${n}\
/verdicts/${t}`)}async proof({root:t,leaf:n}){let{api:r}=this.config;if(!r)throw new S("no oracle\u2019s address is configure\
d, so the proof is not at hand");return Ge(`${r}/batches/${t}/${n}`)}async evidenceFiles(t){if(this.#n?.manifest!==t){let n=st(
`${this.#r()}/${t}`).then(r=>nr(r,"evidence").files);this.#n={manifest:t,files:n},n.catch(()=>this.#n=void 0)}return this.#n.
files}async evidenceFile(t,n){if(!(await this.evidenceFiles(t)).some(s=>s.path===n))throw new S(`the oracle keeps no ${n}`);
let o=n.split("/").map(encodeURIComponent).join("/");return Ge(`${this.#r()}/${t}/${o}`)}#r(){let{evidence:t}=this.config;
if(!t)throw new S("no place of evidence is configured");return t}async#t(t,n){let{rest:r,chain:o}=this;if(!r&&!o)throw new B(
"neither an index nor a node is configured");if(!r)return n(o);try{return await t(r)}catch(s){if(!o||!(s instanceof B))throw s;
return this.watcher.fellBack(s.message),n(o)}}};async function Ls(e,t){let[n="",r=""]=t.name.split("/"),{entries:o}=await e.
named(n,r,void 0),s=o.filter(({passed:i,revision:c})=>i&&c===0).reverse();return s.slice(1).flatMap((i,c)=>{let d=s[c];return d.
publisher_identity===i.publisher_identity?[]:[{name:i.name,from_version:d.version,to_version:i.version,from_publisher:d.
publisher_identity,to_publisher:i.publisher_identity,recorded_at:i.recorded_at}]})}async function Ds(e){try{return await e}catch(t){
if(t instanceof S)return null;throw t}}var Kt={};vn(Kt,{add:()=>Me,el:()=>a,fill:()=>_,on:()=>W,out:()=>ae,served:()=>qt,svg:()=>R,to:()=>E});function Xt(e){return Is(e).length===0}function Is(e){return/^[\x20-\x7e]*$/.test(e)?[]:[...new Set(e)].filter(t=>!js(t.
codePointAt(0)))}var Qe;function js(e){Qe??=Bs.trim().split(/\s+/).map(Fs);let[t,n]=[0,Qe.length];for(;t<n;){let r=t+n>>1;Qe[r][1]<e?t=r+
1:n=r}return t<Qe.length&&Qe[t][0]<=e}function Fs(e){let[t,n=t]=e.split("-").map(r=>Number.parseInt(r,16));return[t,n]}var Bs=`\

20-7e a1-ac ae-34e 350-377 37a-37f 384-38a 38c 38e-3a1 3a3-52f 531-556 559-58a 58d-58f 591-5c7 5d0-5ea 5ef-5f4
606-61b 61d-6dc 6de-70d 710-74a 74d-7b1 7c0-7fa 7fd-82d 830-83e 840-85b 85e 860-86a 870-88e 898-8e1 8e3-983 985-98c
98f-990 993-9a8 9aa-9b0 9b2 9b6-9b9 9bc-9c4 9c7-9c8 9cb-9ce 9d7 9dc-9dd 9df-9e3 9e6-9fe a01-a03 a05-a0a a0f-a10
a13-a28 a2a-a30 a32-a33 a35-a36 a38-a39 a3c a3e-a42 a47-a48 a4b-a4d a51 a59-a5c a5e a66-a76 a81-a83 a85-a8d a8f-a91
a93-aa8 aaa-ab0 ab2-ab3 ab5-ab9 abc-ac5 ac7-ac9 acb-acd ad0 ae0-ae3 ae6-af1 af9-aff b01-b03 b05-b0c b0f-b10 b13-b28
b2a-b30 b32-b33 b35-b39 b3c-b44 b47-b48 b4b-b4d b55-b57 b5c-b5d b5f-b63 b66-b77 b82-b83 b85-b8a b8e-b90 b92-b95
b99-b9a b9c b9e-b9f ba3-ba4 ba8-baa bae-bb9 bbe-bc2 bc6-bc8 bca-bcd bd0 bd7 be6-bfa c00-c0c c0e-c10 c12-c28 c2a-c39
c3c-c44 c46-c48 c4a-c4d c55-c56 c58-c5a c5d c60-c63 c66-c6f c77-c8c c8e-c90 c92-ca8 caa-cb3 cb5-cb9 cbc-cc4 cc6-cc8
cca-ccd cd5-cd6 cdd-cde ce0-ce3 ce6-cef cf1-cf2 d00-d0c d0e-d10 d12-d44 d46-d48 d4a-d4f d54-d63 d66-d7f d81-d83
d85-d96 d9a-db1 db3-dbb dbd dc0-dc6 dca dcf-dd4 dd6 dd8-ddf de6-def df2-df4 e01-e3a e3f-e5b e81-e82 e84 e86-e8a
e8c-ea3 ea5 ea7-ebd ec0-ec4 ec6 ec8-ecd ed0-ed9 edc-edf f00-f47 f49-f6c f71-f97 f99-fbc fbe-fcc fce-fda 1000-10c5
10c7 10cd 10d0-115e 1161-1248 124a-124d 1250-1256 1258 125a-125d 1260-1288 128a-128d 1290-12b0 12b2-12b5 12b8-12be
12c0 12c2-12c5 12c8-12d6 12d8-1310 1312-1315 1318-135a 135d-137c 1380-1399 13a0-13f5 13f8-13fd 1400-167f 1681-169c
16a0-16f8 1700-1715 171f-1736 1740-1753 1760-176c 176e-1770 1772-1773 1780-17b3 17b6-17dd 17e0-17e9 17f0-17f9
1800-180a 1810-1819 1820-1878 1880-18aa 18b0-18f5 1900-191e 1920-192b 1930-193b 1940 1944-196d 1970-1974 1980-19ab
19b0-19c9 19d0-19da 19de-1a1b 1a1e-1a5e 1a60-1a7c 1a7f-1a89 1a90-1a99 1aa0-1aad 1ab0-1ace 1b00-1b4c 1b50-1b7e
1b80-1bf3 1bfc-1c37 1c3b-1c49 1c4d-1c88 1c90-1cba 1cbd-1cc7 1cd0-1cfa 1d00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d
1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fc4 1fc6-1fd3 1fd6-1fdb 1fdd-1fef 1ff2-1ff4 1ff6-1ffe 2010-2027
2030-205e 2070-2071 2074-208e 2090-209c 20a0-20c0 20d0-20f0 2100-218b 2190-2426 2440-244a 2460-2b73 2b76-2b95
2b97-2cf3 2cf9-2d25 2d27 2d2d 2d30-2d67 2d6f-2d70 2d7f-2d96 2da0-2da6 2da8-2dae 2db0-2db6 2db8-2dbe 2dc0-2dc6
2dc8-2dce 2dd0-2dd6 2dd8-2dde 2de0-2e5d 2e80-2e99 2e9b-2ef3 2f00-2fd5 2ff0-2ffb 3001-303f 3041-3096 3099-30ff
3105-312f 3131-3163 3165-318e 3190-31e3 31f0-321e 3220-a48c a490-a4c6 a4d0-a62b a640-a6f7 a700-a7ca a7d0-a7d1 a7d3
a7d5-a7d9 a7f2-a82c a830-a839 a840-a877 a880-a8c5 a8ce-a8d9 a8e0-a953 a95f-a97c a980-a9cd a9cf-a9d9 a9de-a9fe
aa00-aa36 aa40-aa4d aa50-aa59 aa5c-aac2 aadb-aaf6 ab01-ab06 ab09-ab0e ab11-ab16 ab20-ab26 ab28-ab2e ab30-ab6b
ab70-abed abf0-abf9 ac00-d7a3 d7b0-d7c6 d7cb-d7fb f900-fa6d fa70-fad9 fb00-fb06 fb13-fb17 fb1d-fb36 fb38-fb3c fb3e
fb40-fb41 fb43-fb44 fb46-fbc2 fbd3-fd8f fd92-fdc7 fdcf fdf0-fdff fe10-fe19 fe20-fe52 fe54-fe66 fe68-fe6b fe70-fe74
fe76-fefc ff01-ff9f ffa1-ffbe ffc2-ffc7 ffca-ffcf ffd2-ffd7 ffda-ffdc ffe0-ffe6 ffe8-ffee fffc-fffd 10000-1000b
1000d-10026 10028-1003a 1003c-1003d 1003f-1004d 10050-1005d 10080-100fa 10100-10102 10107-10133 10137-1018e
10190-1019c 101a0 101d0-101fd 10280-1029c 102a0-102d0 102e0-102fb 10300-10323 1032d-1034a 10350-1037a 10380-1039d
1039f-103c3 103c8-103d5 10400-1049d 104a0-104a9 104b0-104d3 104d8-104fb 10500-10527 10530-10563 1056f-1057a
1057c-1058a 1058c-10592 10594-10595 10597-105a1 105a3-105b1 105b3-105b9 105bb-105bc 10600-10736 10740-10755
10760-10767 10780-10785 10787-107b0 107b2-107ba 10800-10805 10808 1080a-10835 10837-10838 1083c 1083f-10855
10857-1089e 108a7-108af 108e0-108f2 108f4-108f5 108fb-1091b 1091f-10939 1093f 10980-109b7 109bc-109cf 109d2-10a03
10a05-10a06 10a0c-10a13 10a15-10a17 10a19-10a35 10a38-10a3a 10a3f-10a48 10a50-10a58 10a60-10a9f 10ac0-10ae6
10aeb-10af6 10b00-10b35 10b39-10b55 10b58-10b72 10b78-10b91 10b99-10b9c 10ba9-10baf 10c00-10c48 10c80-10cb2
10cc0-10cf2 10cfa-10d27 10d30-10d39 10e60-10e7e 10e80-10ea9 10eab-10ead 10eb0-10eb1 10f00-10f27 10f30-10f59
10f70-10f89 10fb0-10fcb 10fe0-10ff6 11000-1104d 11052-11075 1107f-110bc 110be-110c2 110d0-110e8 110f0-110f9
11100-11134 11136-11147 11150-11176 11180-111df 111e1-111f4 11200-11211 11213-1123e 11280-11286 11288 1128a-1128d
1128f-1129d 1129f-112a9 112b0-112ea 112f0-112f9 11300-11303 11305-1130c 1130f-11310 11313-11328 1132a-11330
11332-11333 11335-11339 1133b-11344 11347-11348 1134b-1134d 11350 11357 1135d-11363 11366-1136c 11370-11374
11400-1145b 1145d-11461 11480-114c7 114d0-114d9 11580-115b5 115b8-115dd 11600-11644 11650-11659 11660-1166c
11680-116b9 116c0-116c9 11700-1171a 1171d-1172b 11730-11746 11800-1183b 118a0-118f2 118ff-11906 11909 1190c-11913
11915-11916 11918-11935 11937-11938 1193b-11946 11950-11959 119a0-119a7 119aa-119d7 119da-119e4 11a00-11a47
11a50-11aa2 11ab0-11af8 11c00-11c08 11c0a-11c36 11c38-11c45 11c50-11c6c 11c70-11c8f 11c92-11ca7 11ca9-11cb6
11d00-11d06 11d08-11d09 11d0b-11d36 11d3a 11d3c-11d3d 11d3f-11d47 11d50-11d59 11d60-11d65 11d67-11d68 11d6a-11d8e
11d90-11d91 11d93-11d98 11da0-11da9 11ee0-11ef8 11fb0 11fc0-11ff1 11fff-12399 12400-1246e 12470-12474 12480-12543
12f90-12ff2 13000-1342e 14400-14646 16800-16a38 16a40-16a5e 16a60-16a69 16a6e-16abe 16ac0-16ac9 16ad0-16aed
16af0-16af5 16b00-16b45 16b50-16b59 16b5b-16b61 16b63-16b77 16b7d-16b8f 16e40-16e9a 16f00-16f4a 16f4f-16f87
16f8f-16f9f 16fe0-16fe4 16ff0-16ff1 17000-187f7 18800-18cd5 18d00-18d08 1aff0-1aff3 1aff5-1affb 1affd-1affe
1b000-1b122 1b150-1b152 1b164-1b167 1b170-1b2fb 1bc00-1bc6a 1bc70-1bc7c 1bc80-1bc88 1bc90-1bc99 1bc9c-1bc9f
1cf00-1cf2d 1cf30-1cf46 1cf50-1cfc3 1d000-1d0f5 1d100-1d126 1d129-1d172 1d17b-1d1ea 1d200-1d245 1d2e0-1d2f3
1d300-1d356 1d360-1d378 1d400-1d454 1d456-1d49c 1d49e-1d49f 1d4a2 1d4a5-1d4a6 1d4a9-1d4ac 1d4ae-1d4b9 1d4bb
1d4bd-1d4c3 1d4c5-1d505 1d507-1d50a 1d50d-1d514 1d516-1d51c 1d51e-1d539 1d53b-1d53e 1d540-1d544 1d546 1d54a-1d550
1d552-1d6a5 1d6a8-1d7cb 1d7ce-1da8b 1da9b-1da9f 1daa1-1daaf 1df00-1df1e 1e000-1e006 1e008-1e018 1e01b-1e021
1e023-1e024 1e026-1e02a 1e100-1e12c 1e130-1e13d 1e140-1e149 1e14e-1e14f 1e290-1e2ae 1e2c0-1e2f9 1e2ff 1e7e0-1e7e6
1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 1e800-1e8c4 1e8c7-1e8d6 1e900-1e94b 1e950-1e959 1e95e-1e95f 1ec71-1ecb4
1ed01-1ed3d 1ee00-1ee03 1ee05-1ee1f 1ee21-1ee22 1ee24 1ee27 1ee29-1ee32 1ee34-1ee37 1ee39 1ee3b 1ee42 1ee47 1ee49
1ee4b 1ee4d-1ee4f 1ee51-1ee52 1ee54 1ee57 1ee59 1ee5b 1ee5d 1ee5f 1ee61-1ee62 1ee64 1ee67-1ee6a 1ee6c-1ee72
1ee74-1ee77 1ee79-1ee7c 1ee7e 1ee80-1ee89 1ee8b-1ee9b 1eea1-1eea3 1eea5-1eea9 1eeab-1eebb 1eef0-1eef1 1f000-1f02b
1f030-1f093 1f0a0-1f0ae 1f0b1-1f0bf 1f0c1-1f0cf 1f0d1-1f0f5 1f100-1f1ad 1f1e6-1f202 1f210-1f23b 1f240-1f248
1f250-1f251 1f260-1f265 1f300-1f6d7 1f6dd-1f6ec 1f6f0-1f6fc 1f700-1f773 1f780-1f7d8 1f7e0-1f7eb 1f7f0 1f800-1f80b
1f810-1f847 1f850-1f859 1f860-1f887 1f890-1f8ad 1f8b0-1f8b1 1f900-1fa53 1fa60-1fa6d 1fa70-1fa74 1fa78-1fa7c
1fa80-1fa86 1fa90-1faac 1fab0-1faba 1fac0-1fac5 1fad0-1fad9 1fae0-1fae7 1faf0-1faf6 1fb00-1fb92 1fb94-1fbca
1fbf0-1fbf9 20000-2a6df 2a700-2b738 2b740-2b81d 2b820-2cea1 2ceb0-2ebe0 2f800-2fa1d 30000-3134a
`;var Us=300;function k(e,t=Us){let n=Array.from(e.slice(0,2*t+2)),r=n.length>t?`${n.slice(0,t-1).join("")}\u2026`:n.join(
"");return He(r)}function He(e){return Xt(e)?e:Array.from(e,t=>Xt(t)?t:Vs(t)).join("")}function Vs(e){let t=e.codePointAt(
0),[n,r]=t<65536?["u",4]:["U",8];return`\\${n}${t.toString(16).padStart(r,"0")}`}function D(e){return e.length>20?`${e.slice(
0,8)}\u2026${e.slice(-6)}`:e}function se(e,t,n=`${t}s`){return`${e.toLocaleString("en")} ${e===1?t:n}`}function ue(e){let t=[
"bytes","kB","MB","GB","TB"],[n,r]=[e,0];for(;n>=1e3&&r<t.length-1;)[n,r]=[n/1e3,r+1];return`${r===0||n>=100?Math.round(
n).toLocaleString("en"):n.toFixed(1)} ${t[r]}`}function Ce(e){let t=new Date(e);if(Number.isNaN(t.getTime()))return e;let n={
dateStyle:"long",timeStyle:"short",timeZone:"UTC"};return`${t.toLocaleString("en-GB",n)} UTC`}function Or(e){let t=new Date(
e);return Number.isNaN(t.getTime())?e:t.toLocaleDateString("en-GB",{dateStyle:"long",timeZone:"UTC"})}function a(e,t={},...n){let r=document.createElement(e);return $r(r,t),Me(r,n),r}function R(e,t={},...n){let r=document.
createElementNS("http://www.w3.org/2000/svg",e);return $r(r,t),Me(r,n),r}function Me(e,t){if(!(t==null||t===!1))if(t instanceof
Node)e.appendChild(t);else if(typeof t=="object")for(let n of t)Me(e,n);else e.appendChild(document.createTextNode(He(String(
t))))}function _(e,...t){e.replaceChildren(),Me(e,t)}function W(e,t,n){return e.addEventListener(t,n),e}function E(e,t,...n){
let r=a("a",t,...n);return r.setAttribute("href",e.startsWith("#/")?e:"#/"),r}function ae(e,...t){let n=t.length>0?t:[e];
if(!Ws(e))return a("span",{},...n);let r=a("a",{class:"out"},...n,a("span",{class:"hidden"}," (another site)"));return r.
href=e,r.rel="noreferrer noopener",r.target="_blank",r}function qt(e){if(!/^\/[^/\\]/.test(e))return ae(e);let t=a("a",{},
a("code",{},e));return t.href=e,t}function Ws(e){try{let{protocol:t,username:n,password:r}=new URL(e);return t==="https:"&&
n+r===""}catch{return!1}}function $r(e,t){for(let[n,r]of Object.entries(t))r===void 0||r===!1||e.setAttribute(n,r===!0?"":
He(String(r)))}var et=/^[0-9a-f]{64}$/;function Nr(e){let t=e.replace(/^#?\/?/,"").split("/"),n=e.slice(0,200),r=t.slice(0,4).map(Gs);if(t.length>4||r.some(d=>d===
void 0))return{page:"nowhere",text:n};let[o="",s="",i=""]=r,c=et.test(s)&&et.test(i);switch(o){case"":return{page:"home"};case"\
find":return s?{page:"find",text:s}:{page:"home"};case"r":return c?{page:"record",model:s,manifest:i}:{page:"nowhere",text:n};case"\
files":return c?{page:"files",model:s,manifest:i}:{page:"nowhere",text:n};case"compare":return c?{page:"compare",before:s,
after:i}:{page:"nowhere",text:n};case"id":return et.test(s)?{page:"id",recordId:s}:{page:"nowhere",text:n};case"n":return s?
{page:"namespace",name:s}:{page:"nowhere",text:n};case"p":return et.test(s)?{page:"identity",digest:s}:{page:"nowhere",text:n};case"\
policy":return et.test(s)?{page:"policy",digest:s}:{page:"nowhere",text:n};case"plots":case"about":return{page:o};default:
return{page:"nowhere",text:n}}}function A(...e){return`#/${e.map(t=>encodeURIComponent(Xs(t))).join("/")}`}function Gs(e){
try{return decodeURIComponent(e.slice(0,1e3))}catch{return}}function Xs(e){return e.replace(/\p{Surrogate}/gu,"\uFFFD")}var pt=["auto","light","dark"];function Cr(){let e=a("main",{id:"main",tabindex:"-1"}),t=a("div",{class:"notices",role:"\
status"}),n=a("a",{class:"skip"},"Skip to the content");n.href="#main",W(n,"click",c=>{c.preventDefault(),e.focus()});let r=a(
"nav",{"aria-label":"Pages"},E(A("plots"),{},"Figures"),E(A("about"),{},"About"),Ks()),o=a("header",{},a("div",{class:"w\
ide bar"},qs(),zt("Search"),r)),s=a("footer",{},a("div",{class:"wide",id:"status"},"Reading where these facts come from \
\u2026")),i=a("div",{id:"live",class:"hidden","aria-live":"polite",role:"status"});return _(document.body,n,o,a("div",{class:"\
wide"},t,e),s,i),{main:e,notices:t}}function zt(e,t=!1){let n=a("input",{type:"search",name:"q","aria-label":e,placeholder:t?
"A model\u2019s name, a word of it, or any digest":"Name or digest",autocomplete:"off",spellcheck:"false"}),r=a("form",{
role:"search","aria-label":e,class:t?"search large":"search"},n,a("button",{type:"submit"},"Search"));return W(r,"submit",
o=>{o.preventDefault();let s=n.value.trim();s&&(location.hash=A("find",s))})}function qs(){let e=R("svg",{viewBox:"0 0 3\
2 32",class:"mark","aria-hidden":"true"},R("rect",{x:4,y:10,width:14,height:12,rx:6}),R("rect",{x:14,y:10,width:14,height:12,
rx:6}));return E("#/",{class:"brand"},e,a("span",{},"provenance"))}function Ks(){let e=a("button",{type:"button",class:"\
plain"}),t=n=>{document.documentElement.dataset.theme=n,_(e,`Theme: ${n}`)};return t(Hr()),W(e,"click",()=>{let n=pt[(pt.
indexOf(Hr())+1)%pt.length];Js(n),t(n)})}var Jt="auto";function Hr(){try{let e=localStorage.getItem("theme");return pt.find(
t=>t===e)??Jt}catch{return Jt}}function Js(e){Jt=e;try{localStorage.setItem("theme",e)}catch{}}async function Rr({config:e,
source:t}){let n=document.getElementById("status");if(!n||!t.isConfigured)return;let[r,o]=await Promise.all([t.rest?.status().
catch(()=>null),t.chain?.status().catch(()=>null)]),s=o?.chainId??r?.chain_id,i=[a("p",{},"Registry ",a("code",{},e.place?.
registry??r?.registry??"unknown"),s?` on chain ${s}`:""),r&&a("p",{},`Index: read up to block ${r.indexed_until??"?"}, ${r.
lag_blocks??"?"} blocks behind the chain.`),r===null&&a("p",{},"Index: no answer."),o&&a("p",{},`Node: ${e.rpcUrl}, bloc\
k ${o.block} of ${Ce(o.at)}`,e.secondUrl?`; compared with ${e.secondUrl}`:""),o===null&&a("p",{},`Node: ${e.rpcUrl} does\
 not answer. Nodes have to allow this page\u2019s origin (CORS).`),a("p",{},"This page asks nobody else. Nothing that yo\
u check leaves your browser.")];_(n,...i)}var Yt={};vn(Yt,{announce:()=>ke,banner:()=>p,copyButton:()=>ve,day:()=>ge,digestOf:()=>L,facts:()=>U,failure:()=>be,idLink:()=>Le,
later:()=>P,moreButton:()=>ie,note:()=>g,recordHref:()=>pe,recordLink:()=>Re,section:()=>y,table:()=>H,time:()=>J});function y(e,...t){let n=`s-${e.toLowerCase().replace(/[^a-z]+/g,"-")}`;return a("section",{"aria-labelledby":n},a("h2",
{id:n},e),...t)}function p(e,t,...n){return a("div",{class:`banner ${e}`,role:e==="bad"?"alert":"note"},a("strong",{},t),
" ",...n)}function g(...e){return a("p",{class:"quiet"},...e)}function U(...e){let t=e.filter(([,n])=>n!=null&&n!==!1&&n!==
"");return a("dl",{class:"facts"},...t.map(([n,r])=>a("div",{},a("dt",{},n),a("dd",{},r))))}function L(e,t="digest"){return a(
"span",{class:"digest"},a("code",{},e),ve(e,t))}function ve(e,t){let n=a("button",{class:"copy",type:"button","aria-labe\
l":`Copy the ${t}`},"Copy");return W(n,"click",()=>{zs(e).then(r=>{_(n,r),ke(r==="Copied"?`Copied the ${t}`:r),setTimeout(
()=>_(n,"Copy"),2e3)})})}async function zs(e){try{return await navigator.clipboard.writeText(e),"Copied"}catch{return"Se\
lect it"}}function ke(e){let t=document.getElementById("live");t&&_(t,e)}function H(e,t,n){let r=o=>a("tr",{},...o.map((s,i)=>a(
i===0?"th":"td",{"data-head":t[i],...i===0?{scope:"row"}:{}},s)));return a("div",{class:"scroll",role:"region",tabindex:"\
0","aria-label":e},a("table",{},a("caption",{},e),a("thead",{},a("tr",{},...t.map(o=>a("th",{scope:"col"},o)))),a("tbody",
{},...n.map(r))))}function J(e){return a("time",{datetime:e,title:e},Ce(e))}function ge(e){return a("time",{datetime:e,title:e},
Or(e))}function pe(e){return e.record_id===e.release_id?A("r",e.model_digest,e.manifest_digest):A("id",e.record_id)}function Re(e){
return E(pe(e),{},`${e.name} ${e.version}`)}function Le(e,t,n){return E(A("id",e),{},t?`${t} ${n??""}`.trim():a("code",{},
D(e)))}function P(e,t){let n=a("div",{class:"later","aria-busy":"true"},a("p",{class:"quiet"},`Reading ${e} \u2026`));return t.
then(r=>_(n,r)).catch(r=>_(n,be(r,e))).finally(()=>n.removeAttribute("aria-busy")),n}function be(e,t="the record"){let n=e instanceof
Error?e.message:String(e);if(e instanceof S)return p("note","Not there.",n);if(e instanceof T||e instanceof B||e instanceof
oe){let r=e instanceof T?"The node":"The index";return p("warn","No verdict.",`${r} gave no usable answer about ${t}, wh\
ich says nothing about it: ${n}`)}return console.error(e),p("bad","This page has a fault.",n)}function ie(e,t){if(e===null)
return null;let n=a("div",{}),r=a("button",{type:"button",class:"more"},"Show more");return W(r,"click",()=>{r.replaceWith(
P("more",t(e).then(([o,s])=>[o,ie(s,t)])))}),Me(n,r),n}var Ys="https://www.amd.com/en/developer/sev.html",Zs="https://in-toto.io/";function Lr(){return{title:"What a record me\
ans",body:[a("p",{class:"lead"},"A record says who confirmed what about a model\u2019s files, and lets you confirm it again w\
ithout trusting them. It does not say that a model is good, harmless or free of bugs."),y("From a chip to a record",a("o\
l",{class:"steps"},a("li",{},a("strong",{},"Chip. "),"An AMD processor has a key of its own, and AMD\u2019s root key vouches \
for it. ",ae(Ys,"SEV-SNP")," keeps the memory of a virtual machine secret, even from the owner of the computer."),a("li",
{},a("strong",{},"Confidential VM. "),"The chip signs a report: which software the VM was started with, which firmware t\
he machine has, and one number that the VM chose."),a("li",{},a("strong",{},"Key. "),"That number is the digest of a key\
 which the VM made. So a signature by the key comes from inside that VM."),a("li",{},a("strong",{},"Manifest. "),"The VM\
 signs a list of every file, and of what they were made from, in the format of ",ae(Zs,"in-toto"),"."),a("li",{},a("stro\
ng",{},"Model files. "),"Every byte of every file is as listed, and there is no other file."),a("li",{},a("strong",{},"R\
ecord. "),"Oracles repeat all of this and sign what they found. A contract keeps it once enough of them agree, and nobod\
y can change it later."))),y("Words",H("States of a record",["Word","Meaning"],[["Confirmed by","These oracles repeated \
the checks and signed the outcome. You can repeat them too."],["Simulated hardware","The evidence comes from a simulator\
 whose keys are public. It proves nothing."],["Signed only","A publisher signed the files. Nothing is known of the machi\
ne on which they were made."],["Held","The owner of the namespace has not accepted this publisher."],["Doubtful","Keys o\
f oracles that signed the record were revoked, and too little weight is left."],["Revoked","A guardian of the registry w\
ithdrew the record. The reason is in its history."],["Superseded","The oracles judged the same release again later."],["\
FAILED","The oracles judged the release and refuse it."],["No verdict","A node or an index did not answer. That says not\
hing about the model."]])),y("Checks",H("What each check says if it passed",["Check","Meaning","Id"],Te.map(({id:e,title:t,
meaning:n})=>[t,n,a("code",{},e)]))),y("What a lying server can do",a("p",{},"A node or an index can hide a record, or t\
he revocation of one. It cannot make evidence: your browser checks the signatures up to AMD\u2019s root, whose digest is part\
 of this page. To notice a liar, compare two nodes: add ?rpc2=ADDRESS to the address of this page."),a("p",{},"The page \
itself comes from a server. You can save its six files and open index.html from your disk instead."))]}}var Qt="provenance/manifest.dsse.json",Dr="tag:provenance-oracle,2026:verdict/v1",Ir=v({name:f(m),uri:f(m),digest:f(ri),
annotations:f(Fr)}),Qs=v({subject:N(Ir),predicate:v({buildDefinition:f(v({resolvedDependencies:f(N(Ir)),internalParameters:f(
Fr)})),runDetails:f(v({metadata:f(v({finishedOn:f(m)}))}))})});async function jr(e,t){let n=await e.verdict(t.verdict_digest),
[r,o]=Zt(n,"verdict"),{predicate:s}=v({predicate:v({[Dr]:v({findings:N(tr)})})})(r,"verdict"),{findings:i}=s[Dr];return{
findings:i,text:o,matches:await Ie(n,t.verdict_digest)}}async function De(e,t){let[n]=Zt(await e.evidenceFile(t.manifest_digest,
Qt),"manifest"),{payload:r}=v({payload:ni})(n,"manifest"),[o,s]=Zt(r,"manifest"),{subject:i,predicate:c}=Qs(o,"manifest"),
{resolvedDependencies:d,internalParameters:l}=c.buildDefinition??{},h=Object(Object(l).publisher).identity;return{files:i.
map(ei),dependencies:(d??[]).map(ti),publisher:typeof h=="string"?h:null,finishedOn:c.runDetails?.metadata?.finishedOn??
null,text:s,matches:await Ie(r,t.manifest_digest)}}async function Ie(e,t){if(!globalThis.crypto?.subtle)return null;let n=new Uint8Array(
await crypto.subtle.digest("SHA-256",e));return Array.from(n,r=>r.toString(16).padStart(2,"0")).join("")===t}function Zt(e,t){
try{let n=new TextDecoder("utf-8",{fatal:!0}).decode(e);return[JSON.parse(n),n]}catch{throw new oe(`${t}: not JSON`)}}function ei({
name:e,digest:t,annotations:n}){let r=Object(n).size;return{path:e??"",size:Number.isSafeInteger(r)?r:null,digests:t??[]}}
function ti({name:e,uri:t,digest:n,annotations:r}){let o=Object(r).role;return{name:e??t??"",uri:t,role:typeof o=="strin\
g"?o:null,digests:n??[]}}function ni(e,t){if(typeof e!="string")throw new oe(`${t}: not text`);try{return Uint8Array.from(
atob(e),n=>n.charCodeAt(0))}catch{throw new oe(`${t}: not base64`)}}function ri(e,t){return Object.entries(Object(e)).map(
([n,r])=>[n,m(r,`${t}.${n}`)])}function Fr(e,t){return typeof e=="object"&&e!==null?e:oi(t)}function oi(e){throw new oe(
`${e}: not an object`)}var si=144,ii=416,ai=672;async function tt(e,t){let n=await e.evidenceFile(t.manifest_digest,"provenance/snp/report.bin"),
r=(o,s)=>Array.from(n.subarray(o,o+s),i=>i.toString(16).padStart(2,"0")).join("");return{measurement:r(si,48),chipId:r(ii,
64),matches:await Ie(n.slice(0,ai),t.report_digest)}}function ht(e,t){let n=t.find(r=>r.passed&&r.revision>e.revision);return[!e.passed&&p("bad","FAILED.","The oracles judge\
d this release and refuse it. The checks below say why. No gate opens for it."),e.revoked_at&&ci(e),e.held&&p("warn","He\
ld.","The namespace does not trust the publisher of this release. Its gate stays shut until the namespace does."),e.doubtful&&
p("warn","Doubtful.",`Keys of oracles that signed this record were revoked. The remaining weight is ${e.weight}; ${e.threshold}\
 is needed.`),e.passed&&e.revisions>e.revision&&p("note","Superseded.","The oracles judged this release again later.",n&&
[" ",E(pe(n),{},`See judgement ${n.revision+1}.`)]),e.product_line===K&&p("warn","Simulated hardware.","Anybody can make\
 such evidence on any computer. It proves nothing about where this model was made."),e.product_line===j&&p("warn","Signe\
d only.","A publisher signed these files. Nothing is known of the machine on which they were made."),e.batch&&p("note","\
In a batch.",`The registry keeps only the root of this batch; the record is shown by a proof (leaf ${e.batch.leaf}). A l\
ater judgement in another batch does not show here.`)]}function ci(e){let n=e.model_revoked_at!==null?"A guardian of the\
 registry withdrew every release of these files":"A guardian of the registry withdrew this record";return p("bad","Revok\
ed.",n,", with effect from ",J(e.revoked_at),". The history below gives the reason. Do not rely on it.")}async function je({
source:e},t){let n=await e.confirm(t).catch(r=>{if(!(r instanceof S))throw r});return n===void 0?p("warn","Not compared.",
"The proof that this record is in its batch is not at hand. So far this is only the index\u2019s word."):n===null||n.length===
0?null:a("div",{},p("bad","The index contradicts the chain.","Believe the chain. Fields that differ:"),a("ul",{},...n.map(
({field:r,index:o,chain:s})=>a("li",{},`${r}: the index says ${k(o)}, the chain ${k(s)}`))))}async function Br(e,t,n){let[r]=await e.source.release(t,n);if(r===void 0)throw new S("This registry has no record of a \
release with these two digests.");return{title:"Files",aside:a("span",{class:"version"},`of ${r.name} ${r.version}`),above:a(
"p",{class:"crumbs"},E(pe(r),{},"record")," / files"),body:[...ht(r,[]),P("the chain\u2019s own version",je(e,r)),P("the\
 manifest",di(e,r))]}}async function di({source:e},t){let{files:n,matches:r}=await De(e,t),o=n.reduce((s,{size:i})=>s+(i??
0),0);return[a("p",{class:"lead"},`${se(n.length,"file")}, ${ue(o)} together.`),mt(r),g("fsverity_sha256_4096 is what Li\
nux\u2019s `fsverity digest FILE` prints. ",t.passed_checks.includes("file-set")?"There is no file more and none fewer: \
the oracles compared the set as well.":"The oracles do not confirm that these are the files of the release, no more and \
no fewer."),H("Files of the release",["File","Size","Digest"],n.map(li))]}function mt(e){return e===null?p("note","Not c\
ompared.","This browser hashes nothing here, so the manifest was not compared with its digest."):e?null:p("bad","Another\
 manifest.","These are not the bytes whose digest is in the record. Do not rely on them.")}function li({path:e,size:t,digests:n}){
let r=n.map(([o,s])=>a("div",{class:"digest"},a("span",{class:"quiet"},o," "),a("code",{},s),ve(s,`digest of ${k(e,80)}`)));
return[a("code",{},k(e,1e3)),t===null?"":a("span",{title:`${t} bytes`},ue(t)),r]}var Ur=[{id:"chip",title:"Chip",icon:["M9 9h14v14H9z","M13 13h6v6h-6z","M12 5v4M16 5v4M20 5v4M12 23v4M16 23v4M20 23v4M5 \
12h4M5 16h4M5 20h4M23 12h4M23 16h4M23 20h4"],checks:["endorsements-format","product-line","vek-chain","vek-validity","ve\
k-revocation"]},{id:"vm",title:"Confidential VM",icon:["M5 7h22v15H5z","M11 27h10M16 22v5","M13 14v-1.500a3 3 0 0 1 6 0V\
14M12 14h8v5h-8z"],checks:["report-format","vek-match","report-signature"]},{id:"key",title:"Key",icon:["M21 6a5 5 0 1 0\
 0.010 0","M17 15L7 25M10 22l3 3M7 25l2 2"],checks:["key-binding"]},{id:"manifest",title:"Manifest",icon:["M8 4h11l5 5v1\
9H8z","M19 4v5h5","M12 14h8M12 18h8M12 22h5"],checks:["manifest-format","manifest-signature"]},{id:"model",title:"Model \
files",icon:["M16 4l11 6v12l-11 6L5 22V10z","M5 10l11 6l11-6M16 16v12"],checks:["file-set","file-digests"]},{id:"record",
title:"Record",icon:["M6 7h20v6H6zM6 13h20v6H6zM6 19h20v6H6z","M10 10h.010M10 16h.010M10 22h.010"],checks:["registry-rec\
ord"]}],fi=["chip","vm","key"],ui={told:"confirmed by the oracles",missing:"nothing vouches for it",checked:"checked in \
this browser",pretended:"checked: SIMULATED",failed:"REFUSED in this browser"},pi={key:["publisher-identity"],manifest:[
"publisher-signature"]};function hi({product_line:e}){return e!==j?Ur:Ur.map(t=>({...t,checks:pi[t.id]??t.checks}))}function Vr(e){
let t=hi(e).map(s=>({node:s,first:yi(e,s),...bi(s,gi(e,s.id))})),n=new Map,r=()=>{for(let{node:s,first:i,item:c,status:d}of t){
let l=mi(s,n)??i;wi(c,d,l==="checked"&&i==="missing"?"pretended":l)}};r();let o=a("ol",{class:"trust"},...t.map(({item:s})=>s));
return{element:a("figure",{class:"trust-figure"},a("figcaption",{class:"hidden"},"The chain of trust, from the chip to t\
he record"),o),light(s,i){n.get(s)!=="failed"&&n.set(s,i),r()},reset(){n.clear(),r()}}}function mi({checks:e},t){let n=e.
map(r=>t.get(r));return n.includes("failed")?"failed":n.every(r=>r==="passed")?"checked":void 0}function yi(e,{id:t,checks:n}){
return fi.includes(t)&&e.product_line===K?"missing":t==="record"?e.passed?"told":"missing":n.some(r=>e.passed_checks.includes(
r))?"told":"missing"}function gi(e,t){let{product_line:n}=e;return{chip:n===K?"simulated":n===j?"none":`AMD ${n}`,vm:n===
j?"none":`report ${D(e.report_digest)}`,key:n===j?"the publisher\u2019s":"made inside the VM",manifest:D(e.manifest_digest),
model:k(e.name.split("/")[1]??e.name,24),record:`weight ${e.weight} of ${e.threshold}`}[t]??""}function bi(e,t){let n=R(
"svg",{viewBox:"0 0 32 32","aria-hidden":"true"},...e.icon.map(s=>R("path",{d:s}))),r=a("span",{class:"trust-status"}),o=[
a("span",{class:"trust-title"},e.title),a("span",{class:"trust-fact"},t),r];return{item:a("li",{},a("span",{class:"trust\
-icon"},n),a("span",{class:"trust-words"},...o)),status:r}}function wi(e,t,n){e.className=n,_(t,ui[n])}function Wr(e,t){return y("What was checked",P("the verdict",t.then(n=>xi(n),()=>vi(e))))}function xi({findings:e,matches:t}){
return[{true:g("From the oracles\u2019 verdict, whose digest is the one in the record."),false:p("bad","Another verdict.",
"These are not the bytes whose digest is in the record. Do not rely on them."),null:g("From the oracles\u2019 verdict. This b\
rowser hashes nothing here, so its digest was not compared.")}[`${t}`],tn("Checks of the oracles",e)]}function tn(e,t){return H(
e,["Check","Outcome","Got","Wanted"],t.map(n=>[Gr(n.check),en(n.outcome),k(n.got),k(n.wanted)]))}function vi(e){let t=new Set(
e.passed_checks),r=[...Te.map(({id:o})=>o),...e.passed_checks.filter(o=>!Te.some(s=>s.id===o))].map(o=>[Gr(o),t.has(o)?en(
"passed"):en("not-checked")]);return[g("The verdict is not at hand here, so there is only the record\u2019s own list. A check\
 that did not pass either failed or was not made."),H("Checks in the record",["Check","Outcome"],r)]}function en(e){return a(
"span",{class:`tag ${e==="passed"?"good":e==="failed"?"bad":"note"}`},e==="failed"?"FAILED":e.replace("-"," "))}function Gr(e){
return[a("span",{class:"check-name"},ct(e))," ",a("code",{class:"check-id"},e),a("span",{class:"check-meaning"},Ln(e))]}function Xr(e){let t=e.signers.filter(({counts:n})=>n).length;return y("What was confirmed",a("p",{class:"lead"},ki(e)),
U(["Release",`${e.name} ${e.version}`],["Confirmed by",`${se(t,"oracle")} of set ${e.epoch}, weight ${e.weight}; ${e.threshold}\
 is needed`],["Judged for",J(e.judged_at)],["Recorded",[J(e.recorded_at),`, judgement ${e.revision+1} of this release`]],
["Grade",dt(e.grade)],["Policy",[E(A("policy",e.policy_digest),{},`number ${e.policy_id} of this registry`)]],["Gate for\
 dApps",Ei(e)]),H("Oracles that signed",["Oracle","Address","Weight","Counts"],e.signers.map(Pi)))}function ki({passed:e,
judged_at:t,product_line:n}){return e?n===j?"The oracles confirm that the publisher below signed exactly these files. Th\
ey say nothing about where the files were made.":n===K?"The oracles confirm the signatures and every byte of the files. \
The hardware behind them was simulated, so nothing is known about where the files were made.":`The oracles confirm that \
this list of files and sources was signed by a key which existed only inside a confidential VM on a genuine AMD ${n} pro\
cessor, and that every byte of the files is as listed.`:`The oracles judged this release on ${Ce(t)} and do not accept i\
t.`}function Ei(e){return e.gate_open===null?"not asked":e.gate_open?`open to contracts that ask for grade ${e.grade} or\
 less`:`shut: ${e.gate_shut_because??"the contract says so"}`}function Pi({index:e,address:t,weight:n,counts:r}){let o=t?
L(t,"address of the oracle"):"a key that its ROFL app has replaced";return[`Oracle ${e}`,o,n,r?"yes":"NO: its key was re\
voked"]}function qr(e,t){return e.product_line===j?y("On which hardware",a("p",{},"Unknown. This release has only a sign\
ature: no confidential hardware vouches for it.")):y("On which hardware",U(["Processor",e.product_line===K?"SIMULATED: n\
o processor":`AMD EPYC, line ${e.product_line}, with SEV-SNP`],["Firmware",Ti(e)],["Report",L(e.report_digest,"digest of\
 the report")]),P("the report",t.then(Ai,()=>g("The report is not at hand here, so the software of the VM is not shown."))))}
function Ti({product_line:e,reported_tcb:t}){let n=xe(e,t),r=a("span",{class:"quiet"},"reported TCB ",a("code",{},t));return n===
t?r:[n," ",r]}function Ai({measurement:e,chipId:t,matches:n}){let r=n?"":n===!1?" DIFFERS from the report that the recor\
d names":" not compared with the record";return U(["Software of the VM",[L(e,"launch measurement"),r]],["Chip",/[^0]/.test(
t)?L(t,"id of the chip"):"the report does not name it"])}function Kr(e,t){let n=/[^0]/.test(e.publisher_identity);return y(
"Who signed it",n?U(["Publisher",E(A("p",e.publisher_identity),{},a("code",{},e.publisher_identity))],["Name",_i(e)]):a(
"p",{},"No publisher is recorded: only the VM\u2019s own key signed."),P("the manifest",t.then(Mi,()=>g("The manifest is\
 not at hand here, so the publisher\u2019s own words are not shown."))))}function _i({named:e,held:t}){return e?"in a cl\
aimed namespace, whose history admitted this publisher":t?"in a claimed namespace, which has not admitted this publisher":
"the release chose it itself: nobody had claimed the namespace"}function Mi({publisher:e,matches:t,finishedOn:n}){let r=t===
null?"not compared: this browser hashes nothing here":t?"these are the bytes that the record names":"DIFFERS from the di\
gest in the record";return U(["The manifest names",e&&Si(e)],["Finished",n&&J(n)],["Manifest",t===!1?a("strong",{class:"\
bad-text"},r):r])}function Si(e){return e.split(" ").map(t=>[t.startsWith("https://")?ae(t):a("code",{},t)," "])}function Jr({source:e},t,n){let[r=""]=t.name.split("/");return y("What happened since",P("the history",e.history(t).then(
Ni)),n.length>0&&a("div",{},a("h3",{},"Other judgements of this release"),a("ul",{},...n.map(Li))),P("other releases",e.
releases(t.name).then(o=>$i(t,o))),a("p",{},E(A("n",r),{},`Every release and publisher of ${k(r,96)}`)))}var Oi=20;function $i(e,t){
let n=t.filter(o=>o.release_id!==e.release_id);if(n.length===0)return null;let r=n.slice(0,Oi).map(o=>{let[s,i]=o.recorded_at<
e.recorded_at?[o,e]:[e,o],c=E(A("compare",s.record_id,i.record_id),{},`what changed from ${k(s.version,24)} to ${k(i.version,
24)}`);return a("li",{},Re(o),", recorded ",ge(o.recorded_at),o.closure&&` (${o.closure})`,": ",c)});return[a("h3",{},"O\
ther releases of this model"),a("ul",{},...r)]}function Ni({events:e,changes:t}){return e.length===0?g("The registry sho\
ws no event."):[t.map(Hi),a("ol",{class:"timeline"},...e.map(Ci))]}function Hi(e){let t=n=>E(A("p",n),{},a("code",{},D(n)));
return p("warn","The publisher changed.",`${e.name}: version ${e.from_version} by `,t(e.from_publisher),`, then ${e.to_version}\
 by `,t(e.to_publisher),".")}function Ci(e){let t=e.time??e.effective_from,n=["revoked","model_revoked","revocation_appl\
ied"].includes(e.event)||e.passed===!1?"bad":"note";return a("li",{class:n},t&&a("p",{class:"quiet"},J(t)),a("p",{},Ri(e)),
a("p",{class:"quiet"},`block ${e.block.toLocaleString("en")}, transaction `,a("code",{},D(e.transaction))))}function Ri(e){
let t=(e.signers??[]).join(", ")||"none";switch(e.event){case"published":case"superseded":{let n=e.held?" Held: its name\
space does not trust the publisher.":"";return`${e.passed===!1?"A FAILED verdict was recorded":e.revision===0?"Recorded":
`Superseded by judgement ${(e.revision??0)+1}`}, confirmed by oracles ${t} of set ${e.epoch}, weight ${e.weight}.${n}`}case"\
recounted":return`Signatures recounted: oracles ${t} count, weight ${e.weight}, which is ${e.doubtful?"too little":"enou\
gh"}.`;case"released":return"Released: the namespace trusts the publisher now.";case"adopted":return"Adopted: the owner \
of the namespace took this older release in.";case"leaf_closed":return`Taken out of its batch (leaf ${e.index}): its own\
 record counts from now on.`;case"revoked":return`REVOKED by ${e.guardian}: ${k(e.reason??"")}`;case"model_revoked":return`\
Every release of these files REVOKED by ${e.guardian}: ${k(e.reason??"")}`;case"revocation_applied":return"REVOKED with \
its model.";default:return`An event that is newer than this page: ${k(e.event)}`}}function Li(e){let t=e.passed?`judgeme\
nt ${e.revision+1}`:"a FAILED verdict";return a("li",{},E(pe(e),{},t),", recorded ",J(e.recorded_at))}var te={width:168,height:52},Fe={x:20,y:48},nn=6,zr=22;function Di(e,{ancestors:t,edges:n}){let o=[...new Set(t.map(({depth:u})=>u))].
sort((u,x)=>u-x).map(u=>t.filter(x=>x.depth===u)),i=Math.max(1,...o.map(({length:u})=>u))*(te.width+Fe.x)-Fe.x+2*nn,c=u=>nn+
(o.length-u)*(te.height+Fe.y),d=new Map,l={id:e.release_id,y:c(0),x:(i-te.width)/2,isOpen:e.gate_open===!0};d.set(e.release_id,
{...l,...Yr(e.name,e.version,e.release_id)});for(let[u,x]of o.entries()){let F=(i-x.length*(te.width+Fe.x)+Fe.x)/2;for(let[
X,{release_id:b,name:G,version:Pe,open:Se}]of x.entries()){let ot={id:b,x:F+X*(te.width+Fe.x),y:c(u+1),isOpen:Se};d.set(
b,{...ot,...Yr(G,Pe,b)})}}let h=n.flatMap(({parent:u,child:x,attested:F})=>{let[X,b]=[d.get(u),d.get(x)];return X&&b?[{from:X,
to:b,isAttested:F}]:[]});return{width:i,height:c(0)+te.height+nn,boxes:[...d.values()],lines:h}}function Zr(e,t){let{width:n,
height:r,boxes:o,lines:s}=Di(e,t),i=R("svg",{viewBox:`0 0 ${n} ${r}`,width:n,height:r,class:"lineage","aria-hidden":"tru\
e"},...s.map(Ii),...o.map(c=>ji(c,c.id===e.release_id)));return a("div",{class:"scroll figure"},i)}function Ii({from:e,to:t,
isAttested:n}){let[r,o,s,i]=[e.x+te.width/2,e.y+te.height,t.x+te.width/2,t.y],c=(o+i)/2,d=`M${r} ${o}C${r} ${c} ${s} ${c}\
 ${s} ${i-5}m-4 -2l4 7l4 -7`;return R("path",{d,class:n?"edge":"edge stated"})}function ji({x:e,y:t,title:n,aside:r,isOpen:o},s){
return R("g",{class:`box${s?" root":""}${o||s?"":" shut"}`,transform:`translate(${e} ${t})`},R("rect",{width:te.width,height:te.
height,rx:10}),R("text",{x:te.width/2,y:22},n),R("text",{x:te.width/2,y:40,class:"aside"},r))}function Yr(e,t,n){return e?
{title:k(e,zr),aside:k(t??"",zr)}:{title:D(n),aside:""}}function Qr({source:e},t,n){return y("What it was made from",P("the lineage",e.lineage(t).then(r=>Fi(t,r))),P("the manif\
est",n.then(Ui,()=>null)))}function Fi(e,t){let{ancestors:n,edges:r,descendants:o}=t,s=o.length>0&&[a("h3",{},"Made from\
 it"),a("ul",{},...o.map(Bi))];if(n.length===0)return[g("The record names no recorded release as a parent."),s];let i=new Map(
n.map(l=>[l.release_id,l])),c=l=>{let h=i.get(l);return l===e.release_id?`${e.name} ${e.version}`:Le(l,h?.name??null,h?.
version??null)},d=r.map(({parent:l,child:h,attested:u})=>{let x=i.get(l)?.open?"open":"shut";return[c(l),c(h),u?"atteste\
d (solid)":"stated (dashed)",x]});return[Zr(e,t),g("A solid line is attested: the confidential VM signed it. A dashed li\
ne is only stated by the owner of the namespace. A dotted frame means that the gate of this release is shut."),H("The sa\
me as a list",["Release","was used to make","How it is known","Its gate"],d),s]}function Bi(e){return a("li",{},Le(e.record_id??
"",e.name,e.version))}function Ui({dependencies:e}){if(e.length===0)return null;let t=e.map(n=>[[n.name!==n.uri&&k(n.name),
n.uri!==null&&a("div",{},ae(n.uri))],n.role??"",n.digests.map(([r,o])=>a("div",{},`${r} `,a("code",{},o)))]);return H("S\
ources that the manifest names",["Source","Role","Digest"],t)}var rn="provenance/",eo=64<<20,to=64;async function yt(e,{manifest_digest:t}){let n=(await e.evidenceFiles(t)).filter(({
path:o})=>o.startsWith(rn));if(n.length>to)throw new B(`more than ${to} files of evidence`);let r=n.map(async({path:o})=>[
o,await e.evidenceFile(t,o)]);return new Map(await Promise.all(r))}async function on(e,{verdict_digest:t,batch:n}){let[r,
o]=await Promise.all([no(()=>e.verdict(t)),no(()=>n&&e.proof(n))]);return{...r&&{verdict:r},...o&&{proof:o}}}async function no(e){
try{return await e()}catch(t){if(t instanceof S||t instanceof B)return null;throw t}}async function gt(e){let t=[...e].filter(
([n])=>n.startsWith(rn));if(e.has(Qt))return new Map(await Promise.all(t.map(async([n,r])=>[n,await sn(r)])))}async function sn(e){
if(e.size>eo)throw new Error(`${e.name}: more than ${eo} bytes`);return new Uint8Array(await e.arrayBuffer())}function ro(e){
return new Map([...e].filter(([t])=>!t.startsWith(rn)))}function oo(e){let t=[...e.files??[]];return cn(t.length),new Map(t.map(n=>[n.webkitRelativePath.split("/").slice(1).join(
"/")||n.name,n]))}async function so(e){let t=[...e.items].flatMap(o=>o.webkitGetAsEntry()??[]),n=new Map,[r]=t;return t.
length===1&&r?.isDirectory?await an(await io(r),"",1,n):await an(t,"",0,n),n}async function an(e,t,n,r){if(n>32)throw new Error(
"folders are nested more than 32 deep");for(let o of e){let s=t+o.name;o.isDirectory?await an(await io(o),`${s}/`,n+1,r):
r.set(s,await Vi(o)),cn(r.size)}}async function io(e){let t=e.createReader(),n=[];for(;;){let r=await new Promise((o,s)=>t.
readEntries(o,s));if(r.length===0)return n;n.push(...r),cn(n.length)}}function Vi(e){return new Promise((t,n)=>e.file(t,
n))}function cn(e){if(e>2e4)throw new Error("more than 20000 files")}var dn="model.sig",Wi="Or choose the folder of the model that you downloaded, or drop it here: every byte is hashed and \
compared",Gi=168*3600,Xi=300;function ao(e,t,n){let r="Check it in this browser",o=fn();if(o)return{button:null,section:y(
r,o)};let s=a("div",{class:"result"}),i=a("p",{class:"quiet",role:"status"}),c=qi(e,t,n,s,i),d=W(a("button",{type:"butto\
n",class:"primary"},r),"click",()=>{c(new Map)}),l=W(a("button",{type:"button"},"Check the evidence"),"click",()=>{c(new Map)});
if(t.product_line===j)return{button:null,section:y(r,a("p",{},"This release has no evidence of hardware, only its publis\
her\u2019s signature. Your browser verifies that, and compares every file with it. Nothing leaves your browser."),a("div",
{class:"choices"},bt(c)),i,s)};let h=y(r,a("p",{},"Your browser repeats the judgement: AMD\u2019s certificates up to the root\
 whose digest is part of this page, the chip\u2019s report, the VM\u2019s key, the signatures of manifest and publisher, and what \
the oracle\u2019s verdict says. Nothing leaves your browser."),a("div",{class:"choices"},l,bt(c)),s);return{button:a("di\
v",{class:"trust-act"},d,i),section:h}}function fn(){return globalThis.crypto?.subtle?null:p("warn","Not from this addre\
ss.","Browsers offer cryptography only to pages that come over https, from 127.0.0.1 or from your disk. Open this page t\
hat way to check the release here.")}function bt(e,t="folder",n=Wi){let r=a("input",{type:"file",id:t,multiple:!0});r.webkitdirectory=
!0,W(r,"change",()=>{e(oo(r))});let o=a("label",{for:t},n),s=a("div",{class:"drop"},o,r);return W(s,"dragover",i=>{i.preventDefault(),
s.classList.add("over")}),W(s,"dragleave",()=>s.classList.remove("over")),W(s,"drop",i=>{i.preventDefault(),s.classList.
remove("over");let{dataTransfer:c}=i;c&&so(c).then(e,d=>ke(String(d)))})}function qi(e,t,n,r,o){let s=new AbortController;
return async i=>{s.abort();let c=s=new AbortController;n.reset(),_(o,"Checking \u2026");let d=Yi(c);_(r,d.element);let l=await Ki(
e,t,i,d.onBytes,c.signal,h=>{s===c&&!c.signal.aborted&&n.light(h.check,h.outcome)});s===c&&(_(r,l.shown),_(o,l.summary))}}
async function Ki(e,t,n,r,o,s){try{let i=await e.source.own(t);if(i===null)return ln("The node says that the chain has n\
o such record.");if(i.product_line===j)return await Ji(e,i,n,{onFinding:s,onBytes:r,startWorker:Gt,signal:o});let c=gt(n).
then(F=>F??yt(e.source,i)),[{judge:d},l,h,u]=await Promise.all([_e(),c,on(e.source,i),zi(e,i)]),x={evidence:l,files:ro(n),
at:co(i),record:i,kept:h};return lo(await d(x,{onFinding:s,onBytes:r,startWorker:Gt,signal:o}),i,u)}catch(i){return Qi(i)}}
async function Ji(e,t,n,r){let o=n.get(dn);if(!o)return{summary:"No verdict: see below.",shown:p("note","No signature.",
`The folder has no ${dn}.`)};let s=new Map([...n].filter(([l])=>l!==dn)),[{judgeSigned:i},c,d]=await Promise.all([_e(),on(
e.source,t),sn(o)]);return lo(await i({bundle:d,files:s,at:co(t),record:t,kept:c},r),t,void 0)}async function zi({source:e},{
batch:t}){return t&&e.chain?e.chain.hasBatch(t.root).catch(()=>{}):void 0}function co({judged_at:e,recorded_at:t}){let[n,
r]=[Date.parse(e)/1e3,Date.parse(t)/1e3],o=r-n;return o>=-Xi&&o<=Gi?n:r}function Yi(e){let t=a("progress",{"aria-label":"\
Bytes hashed"}),n=a("p",{class:"quiet"},"Reading the evidence \u2026"),r=W(a("button",{type:"button"},"Stop"),"click",()=>e.
abort());return{element:a("div",{class:"progress"},t,n,r),onBytes(o,s){[t.max,t.value]=[Math.max(1,s),o],_(n,`${ue(o)} o\
f ${ue(s)} hashed`)}}}function lo(e,t,n){if(e.kind==="undecided")return{summary:"No verdict: see below.",shown:p("warn",
"No verdict.",k(e.why))};let r=tn("Checks in this browser",e.findings),o=a("details",{open:e.kind==="refused"},a("summar\
y",{},"Every check, with what it got and what it wanted"),r);if(e.kind==="refused"){let[u,x,F,X]=[e.problem,e.where,e.got,
e.wanted].map(G=>k(G)||"nothing"),b=`${ct(e.check)}: ${u} (${x}). Got ${F}, wanted ${X}.`;return ln(b,o)}let[s,i]=["pass\
ed","not-checked"].map(u=>e.findings.filter(({outcome:x})=>x===u).length),c=`${se(s,"check")} passed here; ${i} were not\
 made, and the table says why.`;if(n===!1)return ln("The node says that the registry has no batch with this root.",o);let d=n?
a("p",{},"The node says that the registry has the root of this batch."):null;if(e.isSimulated)return{summary:`Checked: s\
imulated evidence. ${c}`,shown:[p("warn","Simulated.",`The evidence is what a SIMULATOR makes, whose keys are public. It\
 proves nothing about hardware. ${c}`),d,o]};let[l,h]=Zi(e,t);return{summary:`${l} ${c}`,shown:[p("good",l,`${c} ${h}`),
d,o]}}function ln(e,...t){return{summary:"REFUSED here: see below.",shown:[p("bad","Refused.",e),...t]}}function Zi({findings:e},{
product_line:t}){if(t===j)return["Your browser confirms the signature.","Nothing is known of the machine on which the fi\
les were made."];let n=r=>e.some(({check:o,outcome:s})=>o===r&&s==="passed");return n("file-digests")&&!n("file-set")?["\
Your browser confirms the evidence, and some of the files.","Other files of the model were not at hand: choose or drop i\
ts whole folder."]:n("file-digests")?["Your browser confirms evidence and files.","The rules of the policy were judged b\
y the oracles."]:["Your browser confirms the evidence.","The model\u2019s files were not at hand: choose or drop their folder\
 to compare every byte."]}function Qi(e){let t="No verdict: see below.";return e instanceof DOMException&&e.name==="Abor\
tError"?{summary:"Stopped.",shown:g("You stopped it, so there is no verdict.")}:e instanceof S?{summary:t,shown:p("note",
"No evidence here.","No oracle\u2019s copy of the evidence is at hand. Choose or drop the folder of the release, which holds \
it.")}:{summary:t,shown:be(e,"the evidence")}}var ea="Or choose the folder of the release, or drop it here: only its folder provenance/ is read",ta="Confirm the oracl\
es\u2019 record too: what follows from the evidence has to be equal in it",na="The oracles\u2019 record is left out: it is in\
 a batch, or no gate opens for it";function fo(e,t,n,r){let o=a("summary",{},"Prove it on chain yourself"),s=fn();if(s)return a(
"details",{},o,s);let i=a("div",{class:"proving","aria-live":"polite"}),c=a("input",{type:"checkbox",id:"prove-record"});
c.checked=n.active&&!n.batch,c.disabled=!c.checked;let d=ra(e,t,n,i,c,r),l=W(a("button",{type:"button",class:"primary"},
"Assemble the proof"),"click",()=>{d(new Map)});return a("details",{class:"prove"},o,a("p",{},"Anybody can have the chai\
n check AMD\u2019s signature, once, for everybody. Your browser puts the evidence together, and the node simulates the proof \
and says what it would cost. Nothing is sent before you confirm it in your own wallet."),a("div",{class:"choices"},a("la\
bel",{class:"tick"},c," ",c.checked?ta:na),l,bt(d,"prove-folder",ea)),i)}function ra(e,t,n,r,o,s){let i=0;return async c=>{
let d=++i,l=a("div",{},g("Putting the evidence together \u2026"));_(r,l);try{await oa(e,t,n,c,l,o.checked,s)}catch(h){let u=p(
"note","No evidence here.","No oracle\u2019s copy of the evidence is at hand. Choose or drop the folder of the release, which\
 holds it.");d===i&&_(l,h instanceof S?u:be(h,"the proof"))}}}async function oa(e,t,n,r,o,s,i){let c=gt(r).then(Pe=>Pe??
yt(e.source,n)),[{provingEvidence:d},{offerProof:l},h]=await Promise.all([_e(),Pr(),c]),u=await d(h);if("problem"in u){_(
o,p("bad","The chain could not read this release.",k(u.problem)));return}_(o,g("The node simulates the proof \u2026"));let[
x,{chainId:F}]=await Promise.all([s?t.recordBytes(n):null,t.status()]),X=u.intermediate&&{...u.intermediate,name:k(u.intermediate.
name)},b={...u,intermediate:X,proofs:t.proofs,record:x??"0x"},G={...Kt,...Yt,proofFacts:Ut};await l({kit:G,place:o,ask:t.
first,rpcUrl:e.config.rpcUrl,chainId:F,proposal:b,releaseId:V(n.release_id),onProven:i})}function uo(e,t){let{chain:n}=e.source;if(!n?.proofs||t.product_line===j)return null;let r=a("div",{}),o=()=>_(r,P("the \
proof",n.proof(t).then(s))),s=c=>c?ia(c,t,e.config.blockExplorer):[sa(),fo(e,n,t,i)],i=()=>{n.renew(),ke("Proven on chai\
n"),o()};return o(),y("Proven on chain",r)}function sa(){return p("note","Not proven.","Nobody has had the chain itself \
check AMD\u2019s signature for this release. What stands above is what the oracles found.")}function ia(e,t,n){let{transaction:r}=e,
o=n&&a("p",{},ae(`${n}/tx/${r}`,"The transaction in the chain\u2019s block explorer"));return[ca(e),e.reportDigest!==t.report_digest&&
p("bad","Another report.","The proof is of another report than the one that the record names."),U(...aa(e),["Proven",J(q(
e.provenAt))],["Block",e.block.toLocaleString("en")],["Transaction",L(r,"transaction of the proof")],["Workload",L(e.identity,
"measured workload")]),o]}function aa(e){let t=e.key==="VCEK"?"VCEK, the chip\u2019s own":"VLEK, which the cloud provide\
r\u2019s machines share";return[["Processor",e.isSimulated?`SIMULATED, as ${e.line}`:`AMD EPYC, line ${e.line}`],["Key t\
hat signed",t],["Lowest firmware",[xe(e.line,e.lowestTcb)," ",a("span",{class:"quiet"},"lowest TCB ",a("code",{},e.lowestTcb))]],
["Privilege level",`VMPL ${e.vmpl}`],["Gate for proven hardware",e.opensGate?"open":"shut"]]}function ca({isSimulated:e,
isRevoked:t,opensGate:n}){return e?p("warn","Simulated.","The chain checked the signature of a SIMULATOR, whose keys are\
 public. That proves nothing about hardware, and opens no gate for proven hardware."):t?p("bad","Revoked.","The chain ch\
ecked AMD\u2019s signature, and AMD has since withdrawn the key above this certificate. No gate opens."):n?p("good","Pro\
ven on chain.","The chain itself followed AMD\u2019s signature to the chip\u2019s key, the report, the VM\u2019s key, the manifest and \
the digest of every file. No oracle took part."):p("warn","Proven, but no gate opens.","The chain checked AMD\u2019s signatur\
e. The VM was open to a debugger or to migration, its report came from less trusted software, or the host asked for it.")}function po({source:e,config:t},n){let r=JSON.stringify(n,null,2),o=e.evidenceFiles(n.manifest_digest);return y("Raw evi\
dence",U(["Release id",L(n.release_id,"release id")],["Record id",n.record_id!==n.release_id&&L(n.record_id,"record id")],
["Model digest",L(n.model_digest,"model digest")],["Manifest digest",L(n.manifest_digest,"manifest digest")],["Verdict d\
igest",L(n.verdict_digest,"verdict digest")],["Policy digest",L(n.policy_digest,"policy digest")],["Transaction",n.transaction&&
L(n.transaction,"transaction")],["Block",n.block?.toLocaleString("en")],["Gas used",n.gas_used?.toLocaleString("en")]),a(
"p",{},E(A("files",n.model_digest,n.manifest_digest),{},"Every file of this release, with its digest")),P("the kept evid\
ence",o.then(da,s=>s instanceof S?g("No oracle\u2019s evidence is at hand here."):Promise.reject(s))),a("details",{},a("\
summary",{},"This record as JSON"),ve(r,"record as JSON"),a("pre",{tabindex:"0"},un(r))),a("p",{},"The same on a termina\
l: ",a("code",{},`provenance show ${n.manifest_digest} --history --lineage`)),t.api&&a("p",{},"JSON for programs: ",qt(`${t.
api}/records/${n.manifest_digest}`)))}function da(e){return H("Evidence that the oracle keeps",["File","Size","SHA-256"],
e.map(({path:t,size:n,sha256:r})=>[t,ue(n),L(r,`SHA-256 of ${t}`)]))}function un(e){return e.split(`
`).map(t=>a("span",{class:"line"},t))}async function ho(e,t,n){let r=await e.source.release(t,n),[o]=r;if(o===void 0)throw new S("This registry has no record \
of a release with these two digests.");return yo(e,o,r.slice(1))}async function mo(e,t){let{entries:n}=await e.source.entries(
t),r=pn(n,t);if(r===void 0)throw new S("This registry has no record with this id.");return yo(e,r,n.filter(o=>o!==r&&o.release_id===
r.release_id))}function pn(e,t){return e.find(n=>n.record_id===t)??e.find(n=>n.release_id===t)}function yo(e,t,n){let[r=""]=t.
name.split("/"),o=jr(e.source,t),s=De(e.source,t),i=tt(e.source,t);for(let l of[o,s,i])l.catch(()=>{});let c=Vr(t),d=ao(
e,t,c);return{title:t.name,aside:a("span",{class:"version"},k(t.version,24)),above:a("p",{class:"crumbs"},E(A("n",r),{},
r)," / record"),body:[...ht(t,n),P("the chain\u2019s own version",je(e,t)),c.element,d.button,Xr(t),qr(t,i),uo(e,t),Kr(t,
s),Qr(e,t,s),Wr(t,o),d.section,Jr(e,t,n),po(e,t)]}}async function go(e,t,n){let[r,o]=await Promise.all([t,n].map(s=>bo(e,s)));if(!r||!o)throw new S("This registry does not\
 have both records.");return{title:"What changed",above:a("p",{class:"crumbs"},Re(r)," \u2192 ",Re(o)),body:[...[r,o].map(
s=>P("the chain\u2019s own version",je(e,s))),r.name!==o.name&&p("warn","Two models.","These records are not of the same\
 model."),r.publisher_identity!==o.publisher_identity&&p("warn","The publisher changed.","Another identity signed the la\
ter release. The namespace\u2019s history tells whether it was announced."),y("The records",H("Facts of both records",["\
Fact",Ee(r),Ee(o),"Changed"],la(r,o))),y("Software of the VM",P("the reports",fa(e,r,o))),y("Made from",P("the parents",
ua(e,r,o))),y("Files",P("the manifests",ma(e,r,o)))]}}async function bo({source:e},t){let{entries:n}=await e.entries(t);
return pn(n,t)}function Ee({version:e}){return k(e,40)}function la(e,t){let n=s=>E(A("p",s),{},a("code",{},D(s))),r=s=>a(
"code",{},D(s));return[["Recorded",({recorded_at:s})=>s,ge],["Signed by",({publisher_identity:s})=>s,n],["Hardware",({product_line:s})=>s],
["Firmware (TCB)",({product_line:s,reported_tcb:i})=>xe(s,i)],["Grade",({grade:s})=>dt(s)],["Policy",({policy_digest:s})=>s,
s=>E(A("policy",s),{},r(s))],["Weight of oracles",({weight:s,threshold:i})=>`${s} of ${i} needed`],["Standing",({closure:s})=>s??
"active"],["Model digest",({model_digest:s})=>s,r]].map(([s,i,c=d=>d])=>{let[d,l]=[i(e),i(t)];return[s,c(d),c(l),hn(d!==
l)]})}function hn(e){return e?a("span",{class:"tag warn"},"changed"):a("span",{class:"quiet"},"same")}async function fa({
source:e},t,n){let[r,o]=await Promise.all([tt(e,t),tt(e,n)]),s=[["Measurement",r.measurement,o.measurement],["Chip",r.chipId,
o.chipId]].map(([c,d="",l=""])=>[c,a("code",{},d),a("code",{},l),hn(d!==l)]);return[!(r.matches===!0&&o.matches===!0)&&p(
"warn","Not bound.","The reports were not compared with the digests in the records, or differ from them."),H("From both \
attestation reports",["Fact",Ee(t),Ee(n),"Changed"],s)]}async function ua(e,t,n){let r=[...new Set([...t.parents,...n.parents])];
if(r.length===0)return g("Neither record names a recorded release as a parent.");let o=(i,c)=>i.parents.includes(c)?"yes":
"no",s=r.map(async i=>{let c=await bo(e,i).catch(()=>{});return[Le(i,c?.name??null,c?.version??null),o(t,i),o(n,i),hn(o(
t,i)!==o(n,i))]});return H("Parents",["Parent",Ee(t),Ee(n),"Changed"],await Promise.all(s))}function pa(e,t){let[n,r]=[wt(
e),wt(t)];return[...new Set([...n.keys(),...r.keys()])].sort().map(s=>{let[i,c]=[n.get(s),r.get(s)];return i?c?[s,ha(i,c)?
"same":"changed"]:[s,"removed"]:[s,"added"]})}function wt(e){return new Map(e.map(t=>[t.path,t]))}function ha(e,t){let n=new Map(
t.digests),r=e.digests.filter(([o])=>n.has(o));return r.length>0&&e.size===t.size&&r.every(([o,s])=>n.get(o)===s)}async function ma({
source:e},t,n){let[r,o]=await Promise.all([t,n].map(h=>De(e,h))),[s,i]=[wt(r.files),wt(o.files)],c=(h,u)=>{let x=h.get(u)?.
size;return typeof x=="number"?ue(x):"\u2013"},d={added:"good",removed:"bad",changed:"warn",same:"note"},l=pa(r.files,o.
files).map(([h,u])=>[a("code",{},k(h,1e3)),c(s,h),c(i,h),u==="same"?a("span",{class:"quiet"},"same bytes"):a("span",{class:`\
tag ${d[u]}`},u)]);return[mt(r.matches),mt(o.matches),H("Files of both releases",["File",Ee(t),Ee(n),"Changed"],l)]}function he(e){return a("ul",{class:"rows"},...e.map(ya))}function ya(e){let{name:t,version:n,manifest_digest:r,recorded_at:o}=e;
return a("li",{},E(pe(e),{class:"row"},a("span",{class:"row-name"},t," ",a("span",{class:"version"},n)),a("span",{class:"\
row-facts"},"manifest ",a("code",{},D(r))," \xB7 ",ge(o)),a("span",{class:"tags"},...mn(e))))}function mn(e){let t=(n,r)=>a(
"span",{class:`tag ${n}`},r);return[e.closure?t("bad",e.closure):null,e.product_line===K?t("warn","simulated hardware"):
null,e.product_line===j?t("warn","signed only"):null,[K,j].includes(e.product_line)?null:t("good",`AMD ${e.product_line}`),
e.grade>0?t("note",`grade ${e.grade}`):null,e.batch?t("note","in a batch"):null]}var ga=/^(0x)?[0-9a-f]{64}$/i;async function xo(e,t){let n=`Search: ${k(t,90)}`;if(!e.source.rest)return{title:n,body:await va(
e,t)};let{rest:r}=e.source,o=async c=>{let d=await r.search(t,c);return[d.results.length>0?ba(d):vo(d.compared??[]),d.next_cursor]},
[s,i]=await o();return{title:n,body:[s,ie(i,o)]}}function ba({results:e}){return a("ul",{class:"rows"},...e.map(t=>a("li",
{},E(wa(t),{class:"row"},...xa(t)))))}function wa(e){return e.kind==="namespace"?A("n",e.name??""):e.kind==="identity"?A(
"p",e.digest??""):e.kind==="policy"?A("policy",e.digest??""):A("id",e.record_id??e.digest??"")}function xa(e){let t=e.name?
[e.name," ",a("span",{class:"version"},e.version)]:a("code",{},e.digest??e.record_id);return[a("span",{class:"row-name"},
t),a("span",{class:"row-facts"},e.kind,e.found_by?` \xB7 found by ${e.found_by}`:"",e.recorded_at&&[" \xB7 ",ge(e.recorded_at)]),
e.product_line&&a("span",{class:"tags"},...mn({closure:e.closure,product_line:e.product_line,grade:0,batch:null}))]}function vo(e){
return a("div",{},p("note","Nothing found.","That is no judgement of a model: this registry simply has no such record."),
e.length>0&&a("div",{},a("p",{},"Compared with:"),a("ul",{},...e.map(t=>a("li",{},t)))))}async function va({source:e},t){
let n=e.chain;if(ga.test(t)){let{entries:l}=await n.entries(t.replace(/^0x/i,"").toLowerCase());return[wo(l,["digests of\
 models","digests of manifests","digests of reports","ids of records"])]}let[r="",o]=t.split("@"),[s="",i]=r.split("/"),
{entries:c}=i?await n.named(s,i,o):await n.namespaceRecords(s),d=g("Without an index, a name leads to a record only if i\
ts namespace is claimed. Words and publishers need an index.");return[wo(c,[`the history of the namespace ${s}`]),d]}function wo(e,t){
return e.length>0?he(e):vo(t)}async function ko({source:e}){let t=async r=>{let{entries:o,next_cursor:s}=await e.recent(r);return[ka(o),s]},n=t().then(
([r,o])=>[r,ie(o,t)]);return{title:"Where did this model come from?",body:[a("p",{class:"lead"},"Independent oracles jud\
ged these releases: the processor that ran the training, the key that signed the files, every byte of them. Look one up,\
 and repeat the judgement in your own browser."),zt("Search all records",!0),g("You can search for a name such as acme/m\
odel@1.0, a word, or any digest: of a model, manifest, verdict, report, policy or publisher. ",E(A("about"),{},"What doe\
s a record mean?")),y("Newest records",P("the newest records",n))]}}function ka(e){return e.length>0?he(e):g("Nothing is\
 recorded yet.")}async function Eo({source:e},t){let{rest:n}=e,r="Publisher",o=a("p",{class:"crumbs"},D(t)),s=g("A publisher is known by \
the digest of a signing identity: a key, a certificate, or an account of a sign-in provider. The digest of a line such a\
s \u201Ckey HEX\u201D is what the registry keeps.");if(!n)return{title:r,above:o,body:[U(["Identity",L(t,"identity")]),s,
p("note","Needs an index.","The registry\u2019s events cannot be searched by publisher. A node alone does not tell what else \
this publisher signed.")]};let i=await n.identity(t),c=async l=>{let{entries:h,next_cursor:u}=await n.identityRecords(t,
l);return[h.length>0?he(h):g("No record names this publisher."),u]},d=(i.namespaces??[]).map(l=>a("div",{},E(A("n",l),{},
l)));return{title:r,above:o,body:[U(["Identity",L(t,"identity")],["Trusted by",d.length>0?d:"no claimed namespace"],["Re\
cords",i.records?.toLocaleString("en")]),s,y("What it signed",P("the records",c().then(([l,h])=>[l,ie(h,c)])))]}}async function Po(e,t){let{source:n}=e,r=await n.namespace(t),o=r&&{...r,name:t},s=o?n.namespaceHistory(t):Promise.resolve(
[]);s.catch(()=>{});let i=async c=>{let{entries:d,next_cursor:l}=await n.namespaceRecords(t,c);return[d.length>0?he(d):g(
"No record is under this name."),l]};return{title:k(t,96),above:a("p",{class:"crumbs"},"namespace"),body:[o?Ea(o,s):p("w\
arn","Not claimed.","Nobody has claimed this namespace, so anybody can publish under it."),y("Records",P("the records",i().
then(([c,d])=>[c,ie(d,i)]))),o&&y("History",P("the history",s.then(c=>Ta(e,o,c))))]}}function Ea(e,t){let n=P("the publi\
shers",t.then(r=>Pa(hr(r))));return U(["Owner",e.owner&&L(e.owner,"address of the owner")],["Claimed",e.claimed_at&&J(e.
claimed_at)],["Trusts",n],["On first use",e.identity_limit!==null&&`${e.first_uses??0} of at most ${se(e.identity_limit,
"publisher")}`])}function Pa(e){return e.length===0?"no publisher":e.map(t=>a("div",{},E(A("p",t),{},a("code",{},t))))}async function Ta({
source:e},{name:t,owner:n},r){let{head:o,wrongAt:s}=fr(r),i=await e.chain?.head(t).catch(()=>{}),c=mr(r);return[c!==n?.toLowerCase()&&
p("bad","Another owner.",`The history below says that ${c??"nobody"} owns the namespace.`),Aa(r.length,o,s,i),a("ol",{class:"\
timeline"},...r.map(_a))]}function Aa(e,t,n,r){if(n!==null)return p("bad","Not complete.",`Entry ${n} does not follow th\
e one before it: an entry is missing, altered or added.`);let o=`This browser replayed ${se(e,"entry","entries")}; each \
chains to the one before.`;return r===void 0?p("note","Consistent.",`${o} No node is configured to ask whether the last \
one is the contract\u2019s last.`):r!==t?p("bad","Not complete.",`${o} But the contract\u2019s history ends elsewhere, so ent\
ries are missing.`):p("good","Complete.",`${o} They end at the head that the contract keeps, so none is missing.`)}function _a({
number:e,kind:t,subject:n,seconds:r,block:o}){let[s,i]=jn(t),c=`0x${n.slice(24)}`,d=i==="identity"?E(A("p",n),{},a("code",
{},D(n))):a("code",{},i==="account"?c:D(n));return a("li",{class:[2,6].includes(t)?"bad":"note"},a("p",{class:"quiet"},J(
q(r))),a("p",{},`${e}. `,s," ",d),a("p",{class:"quiet"},`block ${o.toLocaleString("en")}`))}var Be=640,yn=220,nt=64,Ma=30,gn=12,bn=90;function wn(e,t=n=>n.toLocaleString("en")){let n=Sa(Math.max(0,...e.map(({value:d})=>d))),
r=(Be-nt)/Math.max(1,e.length),o=yn-gn-Ma,s=e.map(({value:d},l)=>{let h=d/n*o,u=Math.min(48,r*.72);return R("rect",{class:"\
bar-value",x:nt+l*r+(r-u)/2,y:gn+o-h,width:u,height:h,rx:3})}),i=[0,n/2,n].map(d=>$a(gn+o-d/n*o,t(d))),c=Oa(e).map(([d,l])=>R(
"text",{class:"plot-label",x:nt+(d+.5)*r,y:yn-8},l));return To(yn,[...i,...s,...c])}function xn(e){let n=e.flatMap(({label:r,
value:o,of:s},i)=>{let c=s>0?o/s:0,d=i*52;return[R("text",{class:"plot-row",x:0,y:d+20},r),R("rect",{class:"bar-ground",
x:0,y:d+28,width:Be-bn,height:12,rx:6}),R("rect",{class:"bar-value",x:0,y:d+28,width:c*(Be-bn),height:12,rx:6}),R("text",
{class:"plot-row",x:Be-bn+12,y:d+40},`${Math.round(100*c)} %`)]});return To(e.length*52,n)}function Sa(e){if(e<=2)return 2;
let t=10**Math.floor(Math.log10(e));return[1,2,5,10].map(n=>n*t).find(n=>n>=e)}function Oa(e){let t=Math.ceil(e.length/6);
return e.map(({label:n},r)=>[r,n]).filter(([n])=>n%t===0)}function $a(e,t){return R("g",{},R("line",{class:"plot-line",x1:nt,
x2:Be,y1:e,y2:e}),R("text",{class:"plot-tick",x:nt-8,y:e+4},t))}function To(e,t){return a("div",{class:"plot"},R("svg",{
viewBox:`0 0 ${Be} ${e}`,"aria-hidden":"true"},...t))}var Ao=60;async function _o({source:e}){let t="Figures";if(!e.rest)return{title:t,body:[p("note","Needs an index.","Figu\
res over all records need an index, which `provenance serve` has. A node alone does not count.")]};let n=await e.rest.statistics();
return n.by_day.length===0?{title:t,body:[g("Nothing is recorded yet.")]}:{title:t,body:[Na(n),Ha(n),Ca(n),Ra(n)]}}function xt(e,t){
return a("div",{class:"beside"},e,a("div",{class:"numbers"},t))}function Na({by_day:e}){let t=e.slice(-Ao),n=t.map(({day:o,
releases:s,batches:i})=>[o,s.toLocaleString("en"),i.toLocaleString("en")]),r=wn(t.map(({day:o,releases:s})=>({label:o.slice(
5),value:s})));return y("Releases over time",xt(r,H("Releases and batches a day",["Day","Releases","Batches"],n)))}function Ha({
by_day:e}){let t=e.slice(-Ao).filter(({gas:s})=>s!==null&&s>0);if(t.length===0)return y("Gas over time",g("No node told \
the gas of these transactions."));let n=t.map(s=>[s.day,(s.gas??0).toLocaleString("en")]),r=s=>s>=1e6?`${s/1e6} M`:s>=1e3?
`${s/1e3} k`:`${s}`,o=wn(t.map(({day:s,gas:i})=>({label:s.slice(5),value:i??0})),r);return y("Gas over time",g("Of every\
 transaction with an event of the registry: records and batches, but also claims of names, keys and revocations."),xt(o,
H("Gas a day",["Day","Gas"],n)))}function Ca({oracles:e}){let t=e.map(r=>({...r,label:`${D(r.address)}${r.epoch===null?"":
`, set ${r.epoch}`}`})),n=t.map(({address:r,epoch:o,signed:s,of:i})=>[a("code",{},r),o??"",s.toLocaleString("en"),i.toLocaleString(
"en")]);return y("Agreement of the oracles",g("How many of the records of its set each oracle signed. An oracle that sig\
ned few of them was away, or judged otherwise."),xt(xn(t.map(({label:r,signed:o,of:s})=>({label:r,value:o,of:s}))),H("Si\
gnatures of each oracle",["Oracle","Set","Signed","Of"],n)))}function Ra({firmware:e}){let t=new Map;for(let{product_line:s,
reported_tcb:i,day:c,count:d}of e){let l=t.get(s+i)??{line:s,tcb:i,count:0,first:c,last:c},[h,u]=[c<l.first?c:l.first,c>
l.last?c:l.last];t.set(s+i,{...l,count:l.count+d,first:h,last:u})}let n=[...t.values()].filter(({tcb:s})=>/[^0]/.test(s)).
sort((s,i)=>i.last.localeCompare(s.last)).slice(0,20);if(n.length===0)return y("Firmware",g("No record names firmware."));
let r=n.reduce((s,{count:i})=>s+i,0),o=n.map(({line:s,tcb:i,count:c,first:d,last:l})=>[`${s}: ${xe(s,i)}`,c.toLocaleString(
"en"),d,l]);return y("Firmware of the machines",g(`${se(n.length,"version")} in ${se(r,"record")}. A version that is sti\
ll recorded long after a newer one was seen is old.`),xt(xn(n.map(({line:s,tcb:i,count:c})=>({label:`${s} ${i}`,value:c,
of:r}))),H("Firmware versions",["Version","Records","First seen","Last seen"],o)))}async function Mo({source:e},t){let{rest:n,chain:r}=e;if(!n){let i=await r?.policyNumber(t)??null;return{title:"Policy",
body:[U(["Digest",L(t,"policy digest")],["Number in this registry",i??"none"]),g("The registry keeps only the digest. An\
 index has the text of the policies that its oracle knows.")]}}let o=await n.policy(t),s=async i=>{let{entries:c,next_cursor:d}=await n.
policyRecords(t,i);return[c.length>0?he(c):g("No record was judged by it."),d]};return{title:o.name?`Policy ${k(o.name,60)}`:
"Policy",above:a("p",{class:"crumbs"},D(t)),body:[U(["Digest",L(t,"policy digest")],["Number in this registry",o.number??
"none"],["Date",o.date],["Records judged by it",o.records?.toLocaleString("en")]),o.text===null?g("The text of this poli\
cy is not at hand here. Only its digest is on chain."):P("the policy",La(o,o.text)),y("Records judged by it",P("the reco\
rds",s().then(([i,c])=>[i,ie(c,s)])))]}}async function La({digest:e,rules:t},n){let r=await Ie(new TextEncoder().encode(
n),e),o={true:p("good","Its text.","This browser hashed the text below: it is the one with this digest."),false:p("bad",
"Another text.","The text below has another digest. Do not rely on it."),null:p("note","Not compared.","This browser has\
hes nothing here, so the text was not compared with its digest.")}[`${r}`],s=(t??[]).map(({rule:c,value:d})=>[a("code",{},
c),Da(d)]),i=a("details",{},a("summary",{},"The policy as text"),ve(n,"policy"),a("pre",{tabindex:"0"},un(n)));return[g(
"The server made this table from the text below. In doubt the text counts: its digest is the policy\u2019s."),H("Rules",
["Rule","Wanted"],s),o,i]}function Da(e){return e==="any"?a("span",{class:"quiet"},"any: not checked"):Array.isArray(e)&&
e.some(t=>typeof t=="object")?a("ul",{},...e.map(t=>a("li",{},rt(t)))):rt(e)}function rt(e){return Array.isArray(e)?e.map(
rt).join(", "):typeof e!="object"||e===null?String(e):Object.entries(e).map(([t,n])=>`${t} ${typeof n=="object"?`(${rt(n)}\
)`:rt(n)}`).join(", ")}async function So(e,t){if(t.page==="about")return Lr();if(!e.source.isConfigured)return ja();switch(t.page){case"home":return ko(
e);case"find":return xo(e,t.text);case"record":return ho(e,t.model,t.manifest);case"id":return mo(e,t.recordId);case"nam\
espace":return Po(e,t.name);case"identity":return Eo(e,t.digest);case"policy":return Mo(e,t.digest);case"files":return Br(
e,t.model,t.manifest);case"compare":return go(e,t.before,t.after);case"plots":return _o(e);default:return Ia()}}function Ia(){
return{title:"No such page",body:[p("note","Nothing here.","No page has this address. Search for a digest or a name inst\
ead.")]}}function ja(){return{title:"No registry",body:[p("note","Nothing to read.","This copy of the page has no regist\
ry to read. Add ?rpc=NODE&registry=ADDRESS to its address, or fill in the data block in index.html.")]}}async function Fa(){let e=document.getElementById("config")?.textContent??"{}",{main:t,notices:n}=Cr();try{let r=await Ua(
Pn(e,location.search)),o=new Set,s=(d,l)=>{o.has(d)||(o.add(d),n.append(l))},i=new ut(r,{differs:({what:d,first:l,second:h})=>{
let u=`The two nodes answer ${d} differently, so one of them is wrong. First: ${l} Second: ${h}`;s(`differs ${d}`,p("bad",
"The nodes disagree.",u))},isSilent:d=>s("silent",p("warn","Not compared.",`The second node does not answer, or whoever \
serves this page allows no other node: ${d}`)),fellBack:d=>s("fell back",p("note","Read from the chain.",`The index does\
 not answer: ${d}`))});if(r.chosenByLink.length>0){let d=`The address of this page chose the ${r.chosenByLink.join(" and\
 the ")}. Whoever sent you the link may have chosen one that lies.`;s("chosen",p("warn","Chosen by the link.",d))}let c={
config:r,source:i};Rr(c),window.addEventListener("hashchange",()=>{$o(c,t)}),$o(c,t)}catch(r){_(t,a("h1",{},"Not configu\
red"),be(r))}}var Oo=0;async function $o(e,t){let n=++Oo,r=n===1,o=Ba(location);_(t,a("p",{class:"quiet reading",role:"s\
tatus"},"Reading \u2026"));let s=await So(e,o).catch(c=>({title:"Nothing to show",body:[be(c)]}));if(n!==Oo)return;let i=a(
"h1",{tabindex:"-1"},s.title,"aside"in s&&s.aside);_(t,"above"in s&&s.above,i,...s.body),document.title=`${He(s.title)} \
\u2013 provenance`,ke(s.title),!r&&(i.focus({preventScroll:!0}),scrollTo(0,0))}function Ba({hash:e,pathname:t}){let[n]=/\/r\/[0-9a-f]{64}\/[0-9a-f]{64}$/.
exec(t)??[];return Nr(e===""&&n?n:e)}async function Ua(e){if(e.place||!e.api||!e.rpcUrl)return e;let t=await new Ne(e.api).
status().catch(()=>null);if(!t?.registry)return e;let n={registry:t.registry,chainId:t.chain_id??void 0,block:t.deployment?.
block??0};return{...e,place:n}}Fa();})();
