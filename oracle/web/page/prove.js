"use strict";var provenanceProve=(()=>{var R=Object.defineProperty;var Pe=Object.getOwnPropertyDescriptor;var Se=Object.getOwnPropertyNames;var He=Object.prototype.hasOwnProperty;var $e=(e,t)=>{for(var n in t)R(e,n,{get:t[n],enumerable:!0})},Ie=(e,t,n,r)=>{if(t&&typeof t=="object"||typeof t=="funct\
ion")for(let o of Se(t))!He.call(e,o)&&o!==n&&R(e,o,{get:()=>t[o],enumerable:!(r=Pe(t,o))||r.enumerable});return e};var Te=e=>Ie(R({},"__esModule",{value:!0}),e);var ut={};$e(ut,{offerProof:()=>we});var S=class extends Error{static name="FormatError";name="FormatError"};function O(e,t){let n=e instanceof Uint8Array?e:Me(e);if(n.length!==(t??n.length))throw new S(`${n.length} bytes, not ${t}`);
return n}function f(e,t){return`0x${Array.from(O(e,t),n=>n.toString(16).padStart(2,"0")).join("")}`}function x(e){return`0x${e.map(t=>t.slice(2)).join("")}`}function h(e){return`0x${e.toString(16).padStart(64,"0")}`}function Ne(e){if(/\p{Surrogate}/u.test(e))throw new S("half \
a character");return new TextEncoder().encode(e)}function H(e){return j(Ne(e))}var P=17;function j(e){let t=O(e),n=new Uint8Array(
t.length+8*P-t.length%(8*P));n.set(t),n[t.length]=1,n[n.length-1]|=128;let r=new DataView(n.buffer),o=new BigUint64Array(
25);for(let i=0;8*i<n.length;i++)o[i%P]^=r.getBigUint64(8*i,!0),i%P===P-1&&_e(o);let a=new DataView(new ArrayBuffer(32));
for(let i=0;i<4;i++)a.setBigUint64(8*i,o[i],!0);return f(new Uint8Array(a.buffer))}function _e(e){let t=(o,a)=>o<<BigInt(
a)|o>>BigInt(64-a),n=new BigUint64Array(5),r=1;for(let o=0;o<24;o++){for(let i=0;i<5;i++)n[i]=e[i]^e[i+5]^e[i+10]^e[i+15]^
e[i+20];for(let i=0;i<25;i++)e[i]^=n[(i+4)%5]^t(n[(i+1)%5],1);let a=e[1];for(let i=0,c=1,s=0;i<24;i++){[c,s]=[s,(2*c+3*s)%
5];let u=e[c+5*s];e[c+5*s]=t(a,(i+1)*(i+2)/2%64),a=u}for(let i=0;i<25;i+=5){let c=e.slice(i,i+5);for(let s=0;s<5;s++)e[i+
s]=c[s]^~c[(s+1)%5]&c[(s+2)%5]}for(let i=0;i<7;i++)r&1&&(e[0]^=1n<<BigInt(2**i-1)),r=r<<1^(r&128?369:0)}}function Me(e){
if(!(typeof e=="string"&&/^0x([0-9a-f]{2})*$/i.test(e)))throw new S("not 0x and pairs of digits");return Uint8Array.from(
e.slice(2).match(/../g)??[],n=>parseInt(n,16))}var d=class extends Error{static name="NodeError";name="NodeError"},mt=1<<20;function Y(e){return(t,n)=>new Promise((r,o)=>{
n.throwIfAborted(),n.addEventListener("abort",()=>o(n.reason)),e.request(t).then(r,o)})}function T(e){for(let t=0,n=e;t<5;t++){let{data:r,cause:o}=Object(n);if(typeof r=="string"&&/^0x([0-9a-f]{2})+$/i.test(r))
return O(r);n=Object(r)===r?r:o}}function Z(e){if(e instanceof d)return e;let{message:t="the node failed"}=Object(e);return new d(
String(t).slice(0,200),{cause:e})}function z(e){return`${new Date(Math.floor(e)*1e3).toISOString().slice(0,19)}Z`}var Ue=15e3,J=500,Q=400,ee=2e4,N=class{constructor(t,n,r){this.ask=t;this.chainId=n;this.block=r}ask;chainId;block;async call(t,n,...r){
let o=x([`0x${H(n).slice(2,10)}`,...r.map(Be)]),a=await this.question("eth_call",[{to:t,data:o},p(this.block)]);return Le(
a,`${n} at ${t}`)}async callOne(t,n,...r){let[o]=await this.call(t,n,...r);if(o===void 0)throw new d(`no answer of ${n} \
at ${t}`);return o}async tryCall(t,n,...r){try{return await this.call(t,n,...r)}catch(o){if(o instanceof d&&T(o.cause))return null;
throw o}}async logs(t,n,r,o,a=this.block){let i={address:t,topics:[H(n),...r]},c=[],[s,u]=[o,Math.max(1,a-o+1)];for(let l=0;s<=
a;l++){if(l===Q)throw new d(`more than ${Q} requests for one list of events`);let m=Math.min(a,s+u-1);try{let g={...i,fromBlock:p(
s),toBlock:p(m)};c.push(...De(await this.question("eth_getLogs",[g]))),s=m+1}catch(g){if(u<=J)throw g;u=Math.max(J,Math.
floor(u/4))}if(c.length>ee)throw new d(`more than ${ee} events`)}return c}async timeOf(t){let n=Object(await this.question(
"eth_getBlockByNumber",[p(t),!1]));return y(n.timestamp,"timestamp")}async codeOf(t){let n=await this.question("eth_getC\
ode",[t,p(this.block)]);return A(n,"code")}question(t,n){return b(this.ask,t,n)}};function W(e){return BigInt(e??0)}function _(e){let t=W(e);if(t>BigInt(Number.MAX_SAFE_INTEGER))throw new d(`an impossib\
le number: ${t}`);return Number(t)}function q(e){return Array.from({length:Math.floor(e.length/32)},(t,n)=>f(e.subarray(32*n,32*n+32)))}async function b(e,t,n,r=Ue){
try{return await e({method:t,params:n},AbortSignal.timeout(r))}catch(o){throw Z(o)}}function Be(e){return typeof e=="str\
ing"?`0x${e.slice(2).padStart(64,"0")}`:h(BigInt(e))}function p(e){return`0x${e.toString(16)}`}function Le(e,t){let n=A(
e,t);if(n.length===0||n.length%32!==0)throw new d(`no registry answers ${t}`);return q(n)}function A(e,t){try{return O(e)}catch(n){
throw new d(`${t}: not bytes`,{cause:n})}}function y(e,t){let n=typeof e=="string"&&/^0x[0-9a-f]{1,13}$/i.test(e)?Number(
e):NaN;if(!Number.isSafeInteger(n))throw new d(`${t}: not a number`);return n}function De(e){if(!Array.isArray(e))throw new d(
"events: not a list");return e.map(t=>{let{topics:n,data:r,blockNumber:o,logIndex:a,transactionHash:i}=Object(t);if(!Array.
isArray(n)||n.length>4)throw new d("an event without topics");return{topics:n.map(c=>f(A(c,"topic"))),data:A(r,"event"),
block:y(o,"block number"),index:y(a,"log index"),transaction:f(A(i,"transaction"))}})}var te=[["report","bytes"],["vek","bytes"],["vekKey","bytes"],["vekFacts","uint256"],["vekChip","bytes32"],["key","bytes"],
["signature","bytes"],["payload","bytes"],["internalAt","uint256"],["subjectsAt","uint256"],["intermediate","bytes32"]],
Ce=`prove((${te.map(([,e])=>e).join()}),bytes)`,Re="addIntermediate(bytes)",je="submitCrl(bytes)",We="multicall(bytes[])",
ne="FailedCall()",oe="isEndorsed(bytes32,uint256,bytes32,bytes32)",re="numberOf(bytes32)",ie="listsCurrentUntil(uint256)",
qe=[["IntermediateDiffers(bytes32)","the later key of AMD is of another product line or kind than the chip\u2019s certificate\
 says"],["IntermediateIsRevoked(uint256,uint256)","AMD revoked the key above this certificate (the numbers are its produ\
ct line and serial number)"],["IntermediateUnknown(bytes32)","nobody has added the later key of AMD above this certifica\
te"],["KeyAlgorithmUnknown(uint256,uint256)","the chain does not know the algorithm of the VM\u2019s key"],["KeyNotBound\
()","the report does not bind the VM\u2019s key in a way that the chain knows"],["KeyNotEndorsed(bytes32)","the chain ha\
s not seen this certificate before"],["ManifestMalformed(uint256)","the chain cannot read the manifest at this byte"],["\
ManifestNotSigned()","the VM\u2019s key did not sign this manifest"],["NoCurrentList(uint256)","the chain has no current\
 revocation list of this product line"],["NotInTime(uint256,uint256,uint256)","the certificate does not hold at the time\
 in question (the numbers are it, the beginning and the end, in seconds since 1970)"],["RecordDiffers(uint8)","the oracl\
es\u2019 record says something else than the evidence; prove the release without it"],["RecordUnknown(bytes32)","the reg\
istry has no such record; prove the release without it"],["TooManyIntermediates()","the chain has no room for another in\
termediate of AMD"],["CertificateMalformed(uint256)","the chip\u2019s certificate is malformed at this byte"],["Certific\
ateNotSigned()","no key of AMD that the contract has signed the chip\u2019s certificate"],["CrlNotSigned()","no root of \
AMD that the contract has signed the revocation list"],["DerMalformed(uint256)","a certificate or the revocation list is\
 malformed at this byte"],["IntermediateNotSigned()","no root of AMD that the contract has signed the later key"],["Repo\
rtMalformed(uint256)","the report is malformed at this byte"],["ReportNotSigned()","the chip\u2019s key did not sign the repo\
rt"],["UnknownAuthority(bytes32)","the contract has no key of AMD with the issuer\u2019s name"],["VekMismatch(uint8)","c\
ertificate and report are not of one chip"]];function v(e){return H(e).slice(0,10)}function ae(e,t){let n=de(te.map(([o,
a])=>[a,e[o]])),r=64+(n.length-2)/2;return x([v(Ce),h(64n),h(BigInt(r)),n,M(t)])}function se(e){return x([v(Re),h(32n),M(
f(e))])}function ce(e){return x([v(je),h(32n),M(f(e))])}function le(e,t){if(e.length===0)return t;let n=[...e,t],r=de(n.
map(o=>["bytes",o]));return x([v(We),h(32n),h(BigInt(n.length)),r])}function de(e){let t=[],n=[],r=32*e.length;for(let[o,
a]of e){if(o!=="bytes"){t.push(a instanceof Uint8Array?f(a,32):h(BigInt(a)));continue}let i=M(f(a));t.push(h(BigInt(r))),
n.push(i),r+=(i.length-2)/2}return x([...t,...n])}function M(e){let t=e.slice(2);return`0x${h(BigInt(t.length/2)).slice(
2)}${t.padEnd(64*Math.ceil(t.length/64),"0")}`}function ue(e){let t=f(e),[n,r]=qe.find(([i])=>t.startsWith(v(i)))??[];if(!n||
!r)return{name:t.slice(0,74),meaning:"an error that this page does not know"};let a=n.slice(n.indexOf("(")+1,-1).split("\
,").filter(Boolean).map((i,c)=>{let s=f(e.subarray(4+32*c,36+32*c));return i==="bytes32"||s.length!==66?s:BigInt(s).toString()});
return{name:`${n.slice(0,n.indexOf("("))}(${a.join(", ")})`,meaning:r}}var Fe=16777216,Ke=96,Ge=3600,k=class extends Error{constructor(n,r){super(r);this.title=n}title;name="ProofRefused"};async function U(e,t,n){
let{proofs:r,whole:o,endorsed:a,record:i}=t,{vekKey:c,vekFacts:s,vekChip:u,intermediate:l}=a,{number:m,gasLimit:g,timestamp:L}=Object(
await b(e,"eth_getBlockByNumber",["latest",!1])),$=new N(e,0,y(m,"block number")),E=Math.min(Fe,y(g,"gas limit")),xe=[j(
c),s,f(u),f(l)],F=_(await $.callOne(r,oe,...xe))===1,D=F?a:o,K=await Ve($,t,y(L,"time of a block")),G=le(K,ae(D,i)),V={to:r,
data:G,...n&&{from:n}},ke=await Ye(e,V,E,D),[I,Ae]=await Promise.all([b(e,"eth_estimateGas",[V]).then(C=>y(C,"gas")),b(e,
"eth_gasPrice",[]).then(C=>BigInt(y(C,"gas price")))]);if(I>E)throw fe(D,`${I.toLocaleString("en")} gas`,E);let[X,ve]=q(
ke).slice(-2);if(!X)throw new d("the node simulates nothing");let Oe=Math.min(Math.floor(I*11/10),E),Ee=K.length>0?t.intermediate:
void 0;return{data:G,gas:I,gasMax:E,limit:Oe,price:Ae,isKeyKnown:F,adds:Ee,releaseId:X,word:W(ve)}}async function Ve(e,{
proofs:t,intermediate:n},r){if(!n||_(await e.callOne(t,re,f(n.digest)))>0)return[];let{certificate:o,line:a,crl:i}=n,c=se(
o),s=r+Ge;if(_(await e.callOne(t,ie,a))>s)return[c];if(!i||i.nextUpdate<=s)throw Xe(n);return[ce(i.der),c]}function Xe({
name:e,crl:t}){let n=t?`the one of this release ends at ${z(t.nextUpdate)}`:"this release has none",r=`This chain does n\
ot know the intermediate ${e} yet, and takes it in only with a current revocation list of AMD: ${n}.`,o="Put AMD\u2019s list \
of today into the folder of the release, as provenance/snp/ark.crl, and choose the folder here; or use provenance prove \
with --fetch, which gets the list.";return new k("The chain needs a current list.",`${r} ${o}`)}async function Ye(e,t,n,r){
try{return A(await b(e,"eth_call",[{...t,gas:p(n)},"latest"]),"simulation")}catch(o){if(!(o instanceof d))throw o;let a=T(
o.cause),i=a&&f(a)===v(ne);if(a&&!i){let{name:c,meaning:s}=ue(a);throw new k("The chain refuses the proof.",`${c}: ${s}.`)}
throw i||/gas|revert/i.test(o.message)?fe(r,`more than ${n.toLocaleString("en")} gas`,n):o}}function fe({signature:e,payload:t},n,r){
let a=e.length===Ke?"The publisher can use a key on P-256 (provenance attest --key-type p256).":"The publisher can use f\
ewer files, or larger ones.",i=`With a manifest of ${t.length.toLocaleString("en")} bytes it takes ${n}; a transaction m\
ay have ${r.toLocaleString("en")}.`;return new k("The proof does not fit into a transaction.",`${i} ${a}`)}var w=class extends Error{name="WalletError"},Ze=8,ze=40,Je=10*6e4,[Qe,et]=[4001,4902],tt=5*6e4,nt=2e3;function ye(e){let t=[],
n=(r,o)=>{if(!(typeof Object(r).request=="function")||t.includes(r)||t.length===Ze)return;t.push(r);let i=typeof o=="str\
ing"&&o?o.slice(0,ze):"your wallet";e({name:i,ask:Y(r)})};addEventListener("eip6963:announceProvider",r=>{let{info:o,provider:a}=Object(
r.detail);n(a,Object(o).name)}),dispatchEvent(new Event("eip6963:requestProvider")),t.length===0&&n(Object(globalThis).ethereum,
void 0)}async function me({name:e,ask:t},n,r,o){o(`Waiting for ${e}: it asks whether this page may see your account.`);let a=await B(
t,"eth_requestAccounts",[]),[i]=Array.isArray(a)?a:[];if(!he(i,20))throw new w("The wallet named no account.");await ot(
t,n,o),o("The wallet\u2019s own node simulates the proof \u2026");let{data:c,limit:s}=await U(t,r,i);o(`Waiting for ${e}\
: it asks you to confirm the transaction.`);let u=await B(t,"eth_sendTransaction",[{from:i,to:r.proofs,data:c,gas:p(s),value:"\
0x0"}]);if(!he(u,32))throw new w("The wallet gave no hash of a transaction. Look there whether it sent one.");return u}async function ot(e,t,n){
let r=async()=>y(await B(e,"eth_chainId",[]),"chain id");if(await r()===t)return;n(`Waiting for the wallet: it asks whet\
her it may switch to chain ${t}.`),await B(e,"wallet_switchEthereumChain",[{chainId:p(t)}]);let o=await r();if(o!==t)throw new w(
`The wallet is on chain ${o}, and the registry is on chain ${t}.`)}async function B(e,t,n){try{return await b(e,t,n,Je)}catch(r){
let{code:o}=Object(r.cause);throw o===Qe?new w("You refused it in the wallet. Nothing was sent."):o===et?new w("The wall\
et does not know this chain. Add it there, with its node, and try again."):new w(`The wallet did not do it: ${r.message}`)}}
async function pe(e,t){for(let n=Date.now()+tt;Date.now()<n;){let r=await b(e,"eth_getTransactionReceipt",[t]).catch(o=>{
if(o instanceof d)return null;throw o});if(r)return y(Object(r).status,"status")===1;await new Promise(o=>setTimeout(o,nt))}}
function he(e,t){return typeof e=="string"&&new RegExp(`^0x[0-9a-f]{${2*t}}$`,"i").test(e)}var rt=10n**9n,it=18;async function we(e){let{kit:t,place:n,ask:r,proposal:o,releaseId:a}=e;try{let i=await U(r,o);if(i.
releaseId!==a)throw new k("Another release.","These files are genuine, and of another release than this page shows.");t.
fill(n,at(e,i))}catch(i){t.fill(n,ge(t,i))}}function ge(e,t){return t instanceof k?e.banner("bad",t.title,`${t.message} \
Nothing was sent.`):t instanceof w?e.banner("note","Not sent.",t.message):t instanceof d?e.banner("warn","No verdict.",`\
The node gave no usable answer, which says nothing about the release: ${t.message}`):e.failure(t,"the proof")}function at(e,t){
let{kit:n,proposal:r}=e,{gas:o,gasMax:a,price:i,data:c,isKeyKnown:s,adds:u}=t,l=n.proofFacts(t.word),m=`${l.isSimulated?
"SIMULATED hardware":`AMD EPYC ${l.line}`}, ${l.key}, lowest TCB ${l.lowestTcb}`,g=l.isSimulated?"It would say that the \
hardware was SIMULATED, which proves nothing.":"It would be proven for everybody.";return[n.banner(l.isSimulated?"warn":
"good","The chain accepts it.",`The node simulated the proof with this evidence, and nothing was sent. ${g}`),n.facts(["\
The proof would say",m],["Gas",`${o.toLocaleString("en")}; a transaction may have ${a.toLocaleString("en")}`],["Cost now",
`${dt(BigInt(o)*i)} coins of this chain, at ${be(i,rt)} gwei a unit of gas`],["Size",`${((c.length-2)/2).toLocaleString(
"en")} bytes`],["Certificate",s?"known to the contract, so it is left out":"new to the contract, which keeps it"],["Inte\
rmediate",u&&`${u.name}: this chain does not know it yet, so the transaction adds it`],["The oracles\u2019 record",r.record===
"0x"?"left out":"confirmed too"]),st(e),lt(e,t)]}function st(e){let{kit:t}=e,n=t.note("There is no wallet in this browse\
r. Any account on any machine can send the proof: see below."),r=t.el("div",{class:"choices"},n),o=t.el("div",{class:"wa\
llet",role:"status"});return ye(a=>{n.remove();let i=t.el("button",{type:"button",class:"primary"},`Prove with ${a.name}`);
r.append(t.on(i,"click",()=>{ct(e,a,r,o)}))}),t.el("div",{},r,o)}async function ct(e,t,n,r){let{kit:o,ask:a,chainId:i,proposal:c}=e,
s=[...n.querySelectorAll("button")],u=(...l)=>o.fill(r,...l);for(let l of s)l.disabled=!0;try{let l=await me(t,i,c,$=>u(
o.note($)));u(o.note("Sent. Waiting for a block with the transaction ",o.digestOf(l,"transaction")," \u2026"));let m=await pe(
a,l);if(m)return e.onProven();let[g,L]=m===void 0?["Not in a block yet.","The wallet sent the transaction. Look at this \
page again later."]:["It failed.","The transaction is in a block and was reverted, so nothing is proven."];u(o.banner(m===
void 0?"note":"bad",g,L," ",o.digestOf(l,"transaction")))}catch(l){u(ge(o,l))}finally{for(let l of s)l.disabled=!1}}function lt({
kit:e,rpcUrl:t,chainId:n,proposal:r},{data:o,limit:a}){let i=r.record==="0x"?" --no-record":"",c=`provenance prove RELEA\
SE --rpc ${t} --registry deployments/${n}.json${i} --keystore payer.json --password-file pw`;return e.el("details",{},e.
el("summary",{},"Send it yourself, without a wallet in this browser"),e.el("p",{},"This command does the same, with the \
folder of the release: ",e.el("code",{},c)," ",e.copyButton(c,"command")),e.el("p",{},"Or send a transaction without val\
ue from any account:"),e.facts(["Chain",n],["To",e.digestOf(r.proofs,"address of the contract")],["Gas limit",a.toLocaleString(
"en")],["Data",e.copyButton(o,"data of the transaction")]),e.el("pre",{tabindex:"0","aria-label":"Data of the transactio\
n"},e.el("span",{class:"line"},o)))}function dt(e){return be(e,10n**BigInt(it))}function be(e,t){let n=t.toString().length-
1,[r,o]=[e/t,(e%t).toString().padStart(n,"0")],a=/^0*/.exec(o)[0].length,i=o.slice(0,r>0n?6:a+6).replace(/0+$/,"");return i?
`${r}.${i}`:`${r}`}return Te(ut);})();
