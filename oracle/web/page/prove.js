"use strict";var provenanceProve=(()=>{var R=Object.defineProperty;var Pe=Object.getOwnPropertyDescriptor;var He=Object.getOwnPropertyNames;var Oe=Object.prototype.hasOwnProperty;var $e=(e,t)=>{for(var n in t)R(e,n,{get:t[n],enumerable:!0})},Se=(e,t,n,r)=>{if(t&&typeof t=="object"||typeof t=="funct\
ion")for(let o of He(t))!Oe.call(e,o)&&o!==n&&R(e,o,{get:()=>t[o],enumerable:!(r=Pe(t,o))||r.enumerable});return e};var Ie=e=>Se(R({},"__esModule",{value:!0}),e);var dt={};$e(dt,{offerProof:()=>pe});var H=class extends Error{static name="FormatError";name="FormatError"};function v(e,t){let n=e instanceof Uint8Array?e:Me(e);if(n.length!==(t??n.length))throw new H(`${n.length} bytes, not ${t}`);
return n}function f(e,t){return`0x${Array.from(v(e,t),n=>n.toString(16).padStart(2,"0")).join("")}`}function x(e){return`0x${e.map(t=>t.slice(2)).join("")}`}function h(e){return`0x${e.toString(16).padStart(64,"0")}`}function Te(e){if(/\p{Surrogate}/u.test(e))throw new H("half \
a character");return new TextEncoder().encode(e)}function O(e){return j(Te(e))}var P=17;function j(e){let t=v(e),n=new Uint8Array(
t.length+8*P-t.length%(8*P));n.set(t),n[t.length]=1,n[n.length-1]|=128;let r=new DataView(n.buffer),o=new BigUint64Array(
25);for(let i=0;8*i<n.length;i++)o[i%P]^=r.getBigUint64(8*i,!0),i%P===P-1&&Ne(o);let a=new DataView(new ArrayBuffer(32));
for(let i=0;i<4;i++)a.setBigUint64(8*i,o[i],!0);return f(new Uint8Array(a.buffer))}function Ne(e){let t=(o,a)=>o<<BigInt(
a)|o>>BigInt(64-a),n=new BigUint64Array(5),r=1;for(let o=0;o<24;o++){for(let i=0;i<5;i++)n[i]=e[i]^e[i+5]^e[i+10]^e[i+15]^
e[i+20];for(let i=0;i<25;i++)e[i]^=n[(i+4)%5]^t(n[(i+1)%5],1);let a=e[1];for(let i=0,s=1,c=0;i<24;i++){[s,c]=[c,(2*s+3*c)%
5];let u=e[s+5*c];e[s+5*c]=t(a,(i+1)*(i+2)/2%64),a=u}for(let i=0;i<25;i+=5){let s=e.slice(i,i+5);for(let c=0;c<5;c++)e[i+
c]=s[c]^~s[(c+1)%5]&s[(c+2)%5]}for(let i=0;i<7;i++)r&1&&(e[0]^=1n<<BigInt(2**i-1)),r=r<<1^(r&128?369:0)}}function Me(e){
if(!(typeof e=="string"&&/^0x([0-9a-f]{2})*$/i.test(e)))throw new H("not 0x and pairs of digits");return Uint8Array.from(
e.slice(2).match(/../g)??[],n=>parseInt(n,16))}var d=class extends Error{static name="NodeError";name="NodeError"},yt=1<<20;function Y(e){return(t,n)=>new Promise((r,o)=>{
n.throwIfAborted(),n.addEventListener("abort",()=>o(n.reason)),e.request(t).then(r,o)})}function T(e){for(let t=0,n=e;t<5;t++){let{data:r,cause:o}=Object(n);if(typeof r=="string"&&/^0x([0-9a-f]{2})+$/i.test(r))
return v(r);n=Object(r)===r?r:o}}function Z(e){if(e instanceof d)return e;let{message:t="the node failed"}=Object(e);return new d(
String(t).slice(0,200),{cause:e})}function z(e){return`${new Date(Math.floor(e)*1e3).toISOString().slice(0,19)}Z`}var _e=15e3,J=500,Q=400,ee=2e4,N=class{constructor(t,n,r){this.ask=t;this.chainId=n;this.block=r}ask;chainId;block;async call(t,n,...r){
let o=x([`0x${O(n).slice(2,10)}`,...r.map(Be)]),a=await this.question("eth_call",[{to:t,data:o},p(this.block)]);return Ue(
a,`${n} at ${t}`)}async callOne(t,n,...r){let[o]=await this.call(t,n,...r);if(o===void 0)throw new d(`no answer of ${n} \
at ${t}`);return o}async tryCall(t,n,...r){try{return await this.call(t,n,...r)}catch(o){if(o instanceof d&&T(o.cause))return null;
throw o}}async logs(t,n,r,o,a=this.block){let i={address:t,topics:[O(n),...r]},s=[],[c,u]=[o,Math.max(1,a-o+1)];for(let l=0;c<=
a;l++){if(l===Q)throw new d(`more than ${Q} requests for one list of events`);let m=Math.min(a,c+u-1);try{let g={...i,fromBlock:p(
c),toBlock:p(m)};s.push(...Le(await this.question("eth_getLogs",[g]))),c=m+1}catch(g){if(u<=J)throw g;u=Math.max(J,Math.
floor(u/4))}if(s.length>ee)throw new d(`more than ${ee} events`)}return s}async timeOf(t){let n=Object(await this.question(
"eth_getBlockByNumber",[p(t),!1]));return y(n.timestamp,"timestamp")}async codeOf(t){let n=await this.question("eth_getC\
ode",[t,p(this.block)]);return A(n,"code")}question(t,n){return b(this.ask,t,n)}};function W(e){return BigInt(e??0)}function M(e){let t=W(e);if(t>BigInt(Number.MAX_SAFE_INTEGER))throw new d(`an impossib\
le number: ${t}`);return Number(t)}function q(e){return Array.from({length:Math.floor(e.length/32)},(t,n)=>f(e.subarray(32*n,32*n+32)))}async function b(e,t,n,r=_e){
try{return await e({method:t,params:n},AbortSignal.timeout(r))}catch(o){throw Z(o)}}function Be(e){return typeof e=="str\
ing"?`0x${e.slice(2).padStart(64,"0")}`:h(BigInt(e))}function p(e){return`0x${e.toString(16)}`}function Ue(e,t){let n=A(
e,t);if(n.length===0||n.length%32!==0)throw new d(`no registry answers ${t}`);return q(n)}function A(e,t){try{return v(e)}catch(n){
throw new d(`${t}: not bytes`,{cause:n})}}function y(e,t){let n=typeof e=="string"&&/^0x[0-9a-f]{1,13}$/i.test(e)?Number(
e):NaN;if(!Number.isSafeInteger(n))throw new d(`${t}: not a number`);return n}function Le(e){if(!Array.isArray(e))throw new d(
"events: not a list");return e.map(t=>{let{topics:n,data:r,blockNumber:o,logIndex:a,transactionHash:i}=Object(t);if(!Array.
isArray(n)||n.length>4)throw new d("an event without topics");return{topics:n.map(s=>f(A(s,"topic"))),data:A(r,"event"),
block:y(o,"block number"),index:y(a,"log index"),transaction:f(A(i,"transaction"))}})}var te=[["report","bytes"],["vek","bytes"],["vekKey","bytes"],["vekFacts","uint256"],["vekChip","bytes32"],["key","bytes"],
["signature","bytes"],["payload","bytes"],["internalAt","uint256"],["subjectsAt","uint256"],["intermediate","bytes32"]],
De=`prove((${te.map(([,e])=>e).join()}),bytes)`,Ce="addIntermediate(bytes)",Re="submitCrl(bytes)",je="multicall(bytes[])",
ne="isEndorsed(bytes32,uint256,bytes32,bytes32)",oe="numberOf(bytes32)",re="listsCurrentUntil(uint256)",We=[["Intermedia\
teDiffers(bytes32)","the later key of AMD is of another product line or kind than the chip\u2019s certificate says"],["I\
ntermediateIsRevoked(uint256,uint256)","AMD revoked the key above this certificate (the numbers are its product line and\
 serial number)"],["IntermediateUnknown(bytes32)","nobody has added the later key of AMD above this certificate"],["KeyA\
lgorithmUnknown(uint256,uint256)","the chain does not know the algorithm of the VM\u2019s key"],["KeyNotBound()","the re\
port does not bind the VM\u2019s key in a way that the chain knows"],["KeyNotEndorsed(bytes32)","the chain has not seen \
this certificate before"],["ManifestMalformed(uint256)","the chain cannot read the manifest at this byte"],["ManifestNot\
Signed()","the VM\u2019s key did not sign this manifest"],["NoCurrentList(uint256)","the chain has no current revocation\
 list of this product line"],["NotInTime(uint256,uint256,uint256)","the certificate does not hold at the time in questio\
n (the numbers are it, the beginning and the end, in seconds since 1970)"],["RecordDiffers(uint8)","the oracles\u2019 record \
says something else than the evidence; prove the release without it"],["RecordUnknown(bytes32)","the registry has no suc\
h record; prove the release without it"],["TooManyIntermediates()","the chain has no room for another intermediate of AM\
D"],["CertificateMalformed(uint256)","the chip\u2019s certificate is malformed at this byte"],["CertificateNotSigned()",
"no key of AMD that the contract has signed the chip\u2019s certificate"],["CrlNotSigned()","no root of AMD that the con\
tract has signed the revocation list"],["DerMalformed(uint256)","a certificate or the revocation list is malformed at th\
is byte"],["IntermediateNotSigned()","no root of AMD that the contract has signed the later key"],["ReportMalformed(uint\
256)","the report is malformed at this byte"],["ReportNotSigned()","the chip\u2019s key did not sign the report"],["Unkn\
ownAuthority(bytes32)","the contract has no key of AMD with the issuer\u2019s name"],["VekMismatch(uint8)","certificate \
and report are not of one chip"]];function $(e){return O(e).slice(0,10)}function ie(e,t){let n=le(te.map(([o,a])=>[a,e[o]])),
r=64+(n.length-2)/2;return x([$(De),h(64n),h(BigInt(r)),n,_(t)])}function ae(e){return x([$(Ce),h(32n),_(f(e))])}function se(e){
return x([$(Re),h(32n),_(f(e))])}function ce(e,t){if(e.length===0)return t;let n=[...e,t],r=le(n.map(o=>["bytes",o]));return x(
[$(je),h(32n),h(BigInt(n.length)),r])}function le(e){let t=[],n=[],r=32*e.length;for(let[o,a]of e){if(o!=="bytes"){t.push(
a instanceof Uint8Array?f(a,32):h(BigInt(a)));continue}let i=_(f(a));t.push(h(BigInt(r))),n.push(i),r+=(i.length-2)/2}return x(
[...t,...n])}function _(e){let t=e.slice(2);return`0x${h(BigInt(t.length/2)).slice(2)}${t.padEnd(64*Math.ceil(t.length/64),
"0")}`}function de(e){let t=f(e),[n,r]=We.find(([i])=>t.startsWith($(i)))??[];if(!n||!r)return{name:t.slice(0,74),meaning:"\
an error that this page does not know"};let a=n.slice(n.indexOf("(")+1,-1).split(",").filter(Boolean).map((i,s)=>{let c=f(
e.subarray(4+32*s,36+32*s));return i==="bytes32"||c.length!==66?c:BigInt(c).toString()});return{name:`${n.slice(0,n.indexOf(
"("))}(${a.join(", ")})`,meaning:r}}var qe=16777216,Ke=96,Fe=3600,k=class extends Error{constructor(n,r){super(r);this.title=n}title;name="ProofRefused"};async function B(e,t,n){
let{proofs:r,whole:o,endorsed:a,record:i}=t,{vekKey:s,vekFacts:c,vekChip:u,intermediate:l}=a,{number:m,gasLimit:g,timestamp:L}=Object(
await b(e,"eth_getBlockByNumber",["latest",!1])),S=new N(e,0,y(m,"block number")),E=Math.min(qe,y(g,"gas limit")),be=[j(
s),c,f(u),f(l)],K=M(await S.callOne(r,ne,...be))===1,D=K?a:o,F=await Ve(S,t,y(L,"time of a block")),V=ce(F,ie(D,i)),G={to:r,
data:V,...n&&{from:n}},xe=await Xe(e,G,E,D),[I,ke]=await Promise.all([b(e,"eth_estimateGas",[G]).then(C=>y(C,"gas")),b(e,
"eth_gasPrice",[]).then(C=>BigInt(y(C,"gas price")))]);if(I>E)throw ue(D,`${I.toLocaleString("en")} gas`,E);let[X,Ae]=q(
xe).slice(-2);if(!X)throw new d("the node simulates nothing");let ve=Math.min(Math.floor(I*11/10),E),Ee=F.length>0?t.intermediate:
void 0;return{data:V,gas:I,gasMax:E,limit:ve,price:ke,isKeyKnown:K,adds:Ee,releaseId:X,word:W(Ae)}}async function Ve(e,{
proofs:t,intermediate:n},r){if(!n||M(await e.callOne(t,oe,f(n.digest)))>0)return[];let{certificate:o,line:a,crl:i}=n,s=ae(
o),c=r+Fe;if(M(await e.callOne(t,re,a))>c)return[s];if(!i||i.nextUpdate<=c)throw Ge(n);return[se(i.der),s]}function Ge({
name:e,crl:t}){let n=t?`the one of this release ends at ${z(t.nextUpdate)}`:"this release has none",r=`This chain does n\
ot know the intermediate ${e} yet, and takes it in only with a current revocation list of AMD: ${n}.`,o="Put AMD\u2019s list \
of today into the folder of the release, as provenance/snp/ark.crl, and choose the folder here; or use provenance prove \
with --fetch, which gets the list.";return new k("The chain needs a current list.",`${r} ${o}`)}async function Xe(e,t,n,r){
try{return A(await b(e,"eth_call",[{...t,gas:p(n)},"latest"]),"simulation")}catch(o){if(!(o instanceof d))throw o;let a=T(
o.cause);if(a){let{name:i,meaning:s}=de(a);throw new k("The chain refuses the proof.",`${i}: ${s}.`)}throw/gas|revert/i.
test(o.message)?ue(r,`more than ${n.toLocaleString("en")} gas`,n):o}}function ue({signature:e,payload:t},n,r){let a=e.length===
Ke?"The publisher can use a key on P-256 (provenance attest --key-type p256).":"The publisher can use fewer files, or la\
rger ones.",i=`With a manifest of ${t.length.toLocaleString("en")} bytes it takes ${n}; a transaction may have ${r.toLocaleString(
"en")}.`;return new k("The proof does not fit into a transaction.",`${i} ${a}`)}var w=class extends Error{name="WalletError"},Ye=8,Ze=40,ze=10*6e4,[Je,Qe]=[4001,4902],et=5*6e4,tt=2e3;function he(e){let t=[],
n=(r,o)=>{if(!(typeof Object(r).request=="function")||t.includes(r)||t.length===Ye)return;t.push(r);let i=typeof o=="str\
ing"&&o?o.slice(0,Ze):"your wallet";e({name:i,ask:Y(r)})};addEventListener("eip6963:announceProvider",r=>{let{info:o,provider:a}=Object(
r.detail);n(a,Object(o).name)}),dispatchEvent(new Event("eip6963:requestProvider")),t.length===0&&n(Object(globalThis).ethereum,
void 0)}async function ye({name:e,ask:t},n,r,o){o(`Waiting for ${e}: it asks whether this page may see your account.`);let a=await U(
t,"eth_requestAccounts",[]),[i]=Array.isArray(a)?a:[];if(!fe(i,20))throw new w("The wallet named no account.");await nt(
t,n,o),o("The wallet\u2019s own node simulates the proof \u2026");let{data:s,limit:c}=await B(t,r,i);o(`Waiting for ${e}\
: it asks you to confirm the transaction.`);let u=await U(t,"eth_sendTransaction",[{from:i,to:r.proofs,data:s,gas:p(c),value:"\
0x0"}]);if(!fe(u,32))throw new w("The wallet gave no hash of a transaction. Look there whether it sent one.");return u}async function nt(e,t,n){
let r=async()=>y(await U(e,"eth_chainId",[]),"chain id");if(await r()===t)return;n(`Waiting for the wallet: it asks whet\
her it may switch to chain ${t}.`),await U(e,"wallet_switchEthereumChain",[{chainId:p(t)}]);let o=await r();if(o!==t)throw new w(
`The wallet is on chain ${o}, and the registry is on chain ${t}.`)}async function U(e,t,n){try{return await b(e,t,n,ze)}catch(r){
let{code:o}=Object(r.cause);throw o===Je?new w("You refused it in the wallet. Nothing was sent."):o===Qe?new w("The wall\
et does not know this chain. Add it there, with its node, and try again."):new w(`The wallet did not do it: ${r.message}`)}}
async function me(e,t){for(let n=Date.now()+et;Date.now()<n;){let r=await b(e,"eth_getTransactionReceipt",[t]).catch(o=>{
if(o instanceof d)return null;throw o});if(r)return y(Object(r).status,"status")===1;await new Promise(o=>setTimeout(o,tt))}}
function fe(e,t){return typeof e=="string"&&new RegExp(`^0x[0-9a-f]{${2*t}}$`,"i").test(e)}var ot=10n**9n,rt=18;async function pe(e){let{kit:t,place:n,ask:r,proposal:o,releaseId:a}=e;try{let i=await B(r,o);if(i.
releaseId!==a)throw new k("Another release.","These files are genuine, and of another release than this page shows.");t.
fill(n,it(e,i))}catch(i){t.fill(n,we(t,i))}}function we(e,t){return t instanceof k?e.banner("bad",t.title,`${t.message} \
Nothing was sent.`):t instanceof w?e.banner("note","Not sent.",t.message):t instanceof d?e.banner("warn","No verdict.",`\
The node gave no usable answer, which says nothing about the release: ${t.message}`):e.failure(t,"the proof")}function it(e,t){
let{kit:n,proposal:r}=e,{gas:o,gasMax:a,price:i,data:s,isKeyKnown:c,adds:u}=t,l=n.proofFacts(t.word),m=`${l.isSimulated?
"SIMULATED hardware":`AMD EPYC ${l.line}`}, ${l.key}, lowest TCB ${l.lowestTcb}`,g=l.isSimulated?"It would say that the \
hardware was SIMULATED, which proves nothing.":"It would be proven for everybody.";return[n.banner(l.isSimulated?"warn":
"good","The chain accepts it.",`The node simulated the proof with this evidence, and nothing was sent. ${g}`),n.facts(["\
The proof would say",m],["Gas",`${o.toLocaleString("en")}; a transaction may have ${a.toLocaleString("en")}`],["Cost now",
`${lt(BigInt(o)*i)} coins of this chain, at ${ge(i,ot)} gwei a unit of gas`],["Size",`${((s.length-2)/2).toLocaleString(
"en")} bytes`],["Certificate",c?"known to the contract, so it is left out":"new to the contract, which keeps it"],["Inte\
rmediate",u&&`${u.name}: this chain does not know it yet, so the transaction adds it`],["The oracles\u2019 record",r.record===
"0x"?"left out":"confirmed too"]),at(e),ct(e,t)]}function at(e){let{kit:t}=e,n=t.note("There is no wallet in this browse\
r. Any account on any machine can send the proof: see below."),r=t.el("div",{class:"choices"},n),o=t.el("div",{class:"wa\
llet",role:"status"});return he(a=>{n.remove();let i=t.el("button",{type:"button",class:"primary"},`Prove with ${a.name}`);
r.append(t.on(i,"click",()=>{st(e,a,r,o)}))}),t.el("div",{},r,o)}async function st(e,t,n,r){let{kit:o,ask:a,chainId:i,proposal:s}=e,
c=[...n.querySelectorAll("button")],u=(...l)=>o.fill(r,...l);for(let l of c)l.disabled=!0;try{let l=await ye(t,i,s,S=>u(
o.note(S)));u(o.note("Sent. Waiting for a block with the transaction ",o.digestOf(l,"transaction")," \u2026"));let m=await me(
a,l);if(m)return e.onProven();let[g,L]=m===void 0?["Not in a block yet.","The wallet sent the transaction. Look at this \
page again later."]:["It failed.","The transaction is in a block and was reverted, so nothing is proven."];u(o.banner(m===
void 0?"note":"bad",g,L," ",o.digestOf(l,"transaction")))}catch(l){u(we(o,l))}finally{for(let l of c)l.disabled=!1}}function ct({
kit:e,rpcUrl:t,chainId:n,proposal:r},{data:o,limit:a}){let i=r.record==="0x"?" --no-record":"",s=`provenance prove RELEA\
SE --rpc ${t} --registry deployments/${n}.json${i} --keystore payer.json --password-file pw`;return e.el("details",{},e.
el("summary",{},"Send it yourself, without a wallet in this browser"),e.el("p",{},"This command does the same, with the \
folder of the release: ",e.el("code",{},s)," ",e.copyButton(s,"command")),e.el("p",{},"Or send a transaction without val\
ue from any account:"),e.facts(["Chain",n],["To",e.digestOf(r.proofs,"address of the contract")],["Gas limit",a.toLocaleString(
"en")],["Data",e.copyButton(o,"data of the transaction")]),e.el("pre",{tabindex:"0","aria-label":"Data of the transactio\
n"},e.el("span",{class:"line"},o)))}function lt(e){return ge(e,10n**BigInt(rt))}function ge(e,t){let n=t.toString().length-
1,[r,o]=[e/t,(e%t).toString().padStart(n,"0")],a=/^0*/.exec(o)[0].length,i=o.slice(0,r>0n?6:a+6).replace(/0+$/,"");return i?
`${r}.${i}`:`${r}`}return Ie(dt);})();
