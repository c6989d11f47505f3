"use strict";var provenanceProve=(()=>{var L=Object.defineProperty;var ye=Object.getOwnPropertyDescriptor;var pe=Object.getOwnPropertyNames;var me=Object.prototype.hasOwnProperty;var we=(e,t)=>{for(var n in t)L(e,n,{get:t[n],enumerable:!0})},ge=(e,t,n,r)=>{if(t&&typeof t=="object"||typeof t=="funct\
ion")for(let o of pe(t))!me.call(e,o)&&o!==n&&L(e,o,{get:()=>t[o],enumerable:!(r=ye(t,o))||r.enumerable});return e};var be=e=>ge(L({},"__esModule",{value:!0}),e);var Xe={};we(Xe,{offerProof:()=>se});var P=class extends Error{static name="FormatError";name="FormatError"};function A(e,t){let n=e instanceof Uint8Array?e:ve(e);if(n.length!==(t??n.length))throw new P(`${n.length} bytes, not ${t}`);
return n}function f(e,t){return`0x${Array.from(A(e,t),n=>n.toString(16).padStart(2,"0")).join("")}`}function H(e){return`0x${e.map(t=>t.slice(2)).join("")}`}function g(e){return`0x${e.toString(16).padStart(64,"0")}`}function xe(e){if(/\p{Surrogate}/u.test(e))throw new P("half \
a character");return new TextEncoder().encode(e)}function O(e){return j(xe(e))}var E=17;function j(e){let t=A(e),n=new Uint8Array(
t.length+8*E-t.length%(8*E));n.set(t),n[t.length]=1,n[n.length-1]|=128;let r=new DataView(n.buffer),o=new BigUint64Array(
25);for(let i=0;8*i<n.length;i++)o[i%E]^=r.getBigUint64(8*i,!0),i%E===E-1&&ke(o);let a=new DataView(new ArrayBuffer(32));
for(let i=0;i<4;i++)a.setBigUint64(8*i,o[i],!0);return f(new Uint8Array(a.buffer))}function ke(e){let t=(o,a)=>o<<BigInt(
a)|o>>BigInt(64-a),n=new BigUint64Array(5),r=1;for(let o=0;o<24;o++){for(let i=0;i<5;i++)n[i]=e[i]^e[i+5]^e[i+10]^e[i+15]^
e[i+20];for(let i=0;i<25;i++)e[i]^=n[(i+4)%5]^t(n[(i+1)%5],1);let a=e[1];for(let i=0,s=1,c=0;i<24;i++){[s,c]=[c,(2*s+3*c)%
5];let l=e[s+5*c];e[s+5*c]=t(a,(i+1)*(i+2)/2%64),a=l}for(let i=0;i<25;i+=5){let s=e.slice(i,i+5);for(let c=0;c<5;c++)e[i+
c]=s[c]^~s[(c+1)%5]&s[(c+2)%5]}for(let i=0;i<7;i++)r&1&&(e[0]^=1n<<BigInt(2**i-1)),r=r<<1^(r&128?369:0)}}function ve(e){
if(!(typeof e=="string"&&/^0x([0-9a-f]{2})*$/i.test(e)))throw new P("not 0x and pairs of digits");return Uint8Array.from(
e.slice(2).match(/../g)??[],n=>parseInt(n,16))}var d=class extends Error{static name="NodeError";name="NodeError"},Qe=1<<20;function K(e){return(t,n)=>new Promise((r,o)=>{
n.throwIfAborted(),n.addEventListener("abort",()=>o(n.reason)),e.request(t).then(r,o)})}function S(e){for(let t=0,n=e;t<5;t++){let{data:r,cause:o}=Object(n);if(typeof r=="string"&&/^0x([0-9a-f]{2})+$/i.test(r))
return A(r);n=Object(r)===r?r:o}}function F(e){if(e instanceof d)return e;let{message:t="the node failed"}=Object(e);return new d(
String(t).slice(0,200),{cause:e})}var Ae=15e3,G=500,V=400,X=2e4,T=class{constructor(t,n,r){this.ask=t;this.chainId=n;this.block=r}ask;chainId;block;async call(t,n,...r){
let o=H([`0x${O(n).slice(2,10)}`,...r.map(Ee)]),a=await this.question("eth_call",[{to:t,data:o},p(this.block)]);return Pe(
a,`${n} at ${t}`)}async callOne(t,n,...r){let[o]=await this.call(t,n,...r);if(o===void 0)throw new d(`no answer of ${n} \
at ${t}`);return o}async tryCall(t,n,...r){try{return await this.call(t,n,...r)}catch(o){if(o instanceof d&&S(o.cause))return null;
throw o}}async logs(t,n,r,o,a=this.block){let i={address:t,topics:[O(n),...r]},s=[],[c,l]=[o,Math.max(1,a-o+1)];for(let u=0;c<=
a;u++){if(u===V)throw new d(`more than ${V} requests for one list of events`);let y=Math.min(a,c+l-1);try{let b={...i,fromBlock:p(
c),toBlock:p(y)};s.push(...He(await this.question("eth_getLogs",[b]))),c=y+1}catch(b){if(l<=G)throw b;l=Math.max(G,Math.
floor(l/4))}if(s.length>X)throw new d(`more than ${X} events`)}return s}async timeOf(t){let n=Object(await this.question(
"eth_getBlockByNumber",[p(t),!1]));return h(n.timestamp,"timestamp")}async codeOf(t){let n=await this.question("eth_getC\
ode",[t,p(this.block)]);return k(n,"code")}question(t,n){return w(this.ask,t,n)}};function U(e){return BigInt(e??0)}function Y(e){let t=U(e);if(t>BigInt(Number.MAX_SAFE_INTEGER))throw new d(`an impossib\
le number: ${t}`);return Number(t)}function D(e){return Array.from({length:Math.floor(e.length/32)},(t,n)=>f(e.subarray(32*n,32*n+32)))}async function w(e,t,n,r=Ae){
try{return await e({method:t,params:n},AbortSignal.timeout(r))}catch(o){throw F(o)}}function Ee(e){return typeof e=="str\
ing"?`0x${e.slice(2).padStart(64,"0")}`:g(BigInt(e))}function p(e){return`0x${e.toString(16)}`}function Pe(e,t){let n=k(
e,t);if(n.length===0||n.length%32!==0)throw new d(`no registry answers ${t}`);return D(n)}function k(e,t){try{return A(e)}catch(n){
throw new d(`${t}: not bytes`,{cause:n})}}function h(e,t){let n=typeof e=="string"&&/^0x[0-9a-f]{1,13}$/i.test(e)?Number(
e):NaN;if(!Number.isSafeInteger(n))throw new d(`${t}: not a number`);return n}function He(e){if(!Array.isArray(e))throw new d(
"events: not a list");return e.map(t=>{let{topics:n,data:r,blockNumber:o,logIndex:a,transactionHash:i}=Object(t);if(!Array.
isArray(n)||n.length>4)throw new d("an event without topics");return{topics:n.map(s=>f(k(s,"topic"))),data:k(r,"event"),
block:h(o,"block number"),index:h(a,"log index"),transaction:f(k(i,"transaction"))}})}var z=[["report","bytes"],["vek","bytes"],["vekKey","bytes"],["vekFacts","uint256"],["vekChip","bytes32"],["key","bytes"],
["signature","bytes"],["payload","bytes"],["internalAt","uint256"],["subjectsAt","uint256"],["intermediate","bytes32"]],
Oe=`prove((${z.map(([,e])=>e).join()}),bytes)`,J="isEndorsed(bytes32,uint256,bytes32,bytes32)",$e=[["IntermediateIsRevok\
ed(uint256,uint256)","AMD revoked the key above this certificate (the numbers are its product line and serial number)"],
["KeyAlgorithmUnknown(uint256,uint256)","the chain does not know the algorithm of the VM\u2019s key"],["KeyNotBound()","\
the report does not bind the VM\u2019s key in a way that the chain knows"],["KeyNotEndorsed(bytes32)","the chain has not\
 seen this certificate before"],["ManifestMalformed(uint256)","the chain cannot read the manifest at this byte"],["Manif\
estNotSigned()","the VM\u2019s key did not sign this manifest"],["NotInTime(uint256,uint256,uint256)","the certificate d\
oes not hold at the time in question (the numbers are it, the beginning and the end, in seconds since 1970)"],["RecordDi\
ffers(uint8)","the oracles\u2019 record says something else than the evidence; prove the release without it"],["RecordUn\
known(bytes32)","the registry has no such record; prove the release without it"],["CertificateMalformed(uint256)","the c\
hip\u2019s certificate is malformed at this byte"],["CertificateNotSigned()","no key of AMD that the contract has signed\
 the chip\u2019s certificate"],["DerMalformed(uint256)","the chip\u2019s certificate is malformed at this byte"],["Repor\
tMalformed(uint256)","the report is malformed at this byte"],["ReportNotSigned()","the chip\u2019s key did not sign the repor\
t"],["UnknownAuthority(bytes32)","the contract has no key of AMD with the issuer\u2019s name"],["VekMismatch(uint8)","ce\
rtificate and report are not of one chip"]];function Q(e){return O(e).slice(0,10)}function Z(e,t){let n=Se(z.map(([o,a])=>[
a,e[o]])),r=64+(n.length-2)/2;return H([Q(Oe),g(64n),g(BigInt(r)),n,ee(t)])}function Se(e){let t=[],n=[],r=32*e.length;for(let[
o,a]of e){if(o!=="bytes"){t.push(a instanceof Uint8Array?f(a,32):g(BigInt(a)));continue}let i=ee(f(a));t.push(g(BigInt(r))),
n.push(i),r+=(i.length-2)/2}return H([...t,...n])}function ee(e){let t=e.slice(2);return`0x${g(BigInt(t.length/2)).slice(
2)}${t.padEnd(64*Math.ceil(t.length/64),"0")}`}function te(e){let t=f(e),[n,r]=$e.find(([i])=>t.startsWith(Q(i)))??[];if(!n||
!r)return{name:t.slice(0,74),meaning:"an error that this page does not know"};let a=n.slice(n.indexOf("(")+1,-1).split("\
,").filter(Boolean).map((i,s)=>{let c=f(e.subarray(4+32*s,36+32*s));return i==="bytes32"||c.length!==66?c:BigInt(c).toString()});
return{name:`${n.slice(0,n.indexOf("("))}(${a.join(", ")})`,meaning:r}}var Te=16777216,Ne=96,v=class extends Error{constructor(n,r){super(r);this.title=n}title;name="ProofRefused"};async function N(e,{
proofs:t,whole:n,endorsed:r,record:o},a){let{vekKey:i,vekFacts:s,vekChip:c,intermediate:l}=r,{number:u,gasLimit:y}=Object(
await w(e,"eth_getBlockByNumber",["latest",!1])),b=new T(e,0,h(u,"block number")),x=Math.min(Te,h(y,"gas limit")),_=[j(i),
s,f(c),f(l)],C=Y(await b.callOne(t,J,..._))===1,B=C?r:n,W=Z(B,o),R={to:t,data:W,...a&&{from:a}},de=await Ie(e,R,x,B),[$,
ue]=await Promise.all([w(e,"eth_estimateGas",[R]).then(M=>h(M,"gas")),w(e,"eth_gasPrice",[]).then(M=>BigInt(h(M,"gas pri\
ce")))]);if($>x)throw ne(B,`${$.toLocaleString("en")} gas`,x);let[q,fe]=D(de);if(!q)throw new d("the node simulates noth\
ing");let he=Math.min(Math.floor($*11/10),x);return{data:W,gas:$,gasMax:x,limit:he,price:ue,isKeyKnown:C,releaseId:q,word:U(
fe)}}async function Ie(e,t,n,r){try{return k(await w(e,"eth_call",[{...t,gas:p(n)},"latest"]),"simulation")}catch(o){if(!(o instanceof
d))throw o;let a=S(o.cause);if(a){let{name:i,meaning:s}=te(a);throw new v("The chain refuses the proof.",`${i}: ${s}.`)}
throw/gas|revert/i.test(o.message)?ne(r,`more than ${n.toLocaleString("en")} gas`,n):o}}function ne({signature:e,payload:t},n,r){
let a=e.length===Ne?"The publisher can use a key on P-256 (provenance attest --key-type p256).":"The publisher can use f\
ewer files, or larger ones.",i=`With a manifest of ${t.length.toLocaleString("en")} bytes it takes ${n}; a transaction m\
ay have ${r.toLocaleString("en")}.`;return new v("The proof does not fit into a transaction.",`${i} ${a}`)}var m=class extends Error{name="WalletError"},_e=8,Be=40,Me=10*6e4,[Le,je]=[4001,4902],Ue=5*6e4,De=2e3;function re(e){let t=[],
n=(r,o)=>{if(!(typeof Object(r).request=="function")||t.includes(r)||t.length===_e)return;t.push(r);let i=typeof o=="str\
ing"&&o?o.slice(0,Be):"your wallet";e({name:i,ask:K(r)})};addEventListener("eip6963:announceProvider",r=>{let{info:o,provider:a}=Object(
r.detail);n(a,Object(o).name)}),dispatchEvent(new Event("eip6963:requestProvider")),t.length===0&&n(Object(globalThis).ethereum,
void 0)}async function ie({name:e,ask:t},n,r,o){o(`Waiting for ${e}: it asks whether this page may see your account.`);let a=await I(
t,"eth_requestAccounts",[]),[i]=Array.isArray(a)?a:[];if(!oe(i,20))throw new m("The wallet named no account.");await Ce(
t,n,o),o("The wallet\u2019s own node simulates the proof \u2026");let{data:s,limit:c}=await N(t,r,i);o(`Waiting for ${e}\
: it asks you to confirm the transaction.`);let l=await I(t,"eth_sendTransaction",[{from:i,to:r.proofs,data:s,gas:p(c),value:"\
0x0"}]);if(!oe(l,32))throw new m("The wallet gave no hash of a transaction. Look there whether it sent one.");return l}async function Ce(e,t,n){
let r=async()=>h(await I(e,"eth_chainId",[]),"chain id");if(await r()===t)return;n(`Waiting for the wallet: it asks whet\
her it may switch to chain ${t}.`),await I(e,"wallet_switchEthereumChain",[{chainId:p(t)}]);let o=await r();if(o!==t)throw new m(
`The wallet is on chain ${o}, and the registry is on chain ${t}.`)}async function I(e,t,n){try{return await w(e,t,n,Me)}catch(r){
let{code:o}=Object(r.cause);throw o===Le?new m("You refused it in the wallet. Nothing was sent."):o===je?new m("The wall\
et does not know this chain. Add it there, with its node, and try again."):new m(`The wallet did not do it: ${r.message}`)}}
async function ae(e,t){for(let n=Date.now()+Ue;Date.now()<n;){let r=await w(e,"eth_getTransactionReceipt",[t]).catch(o=>{
if(o instanceof d)return null;throw o});if(r)return h(Object(r).status,"status")===1;await new Promise(o=>setTimeout(o,De))}}
function oe(e,t){return typeof e=="string"&&new RegExp(`^0x[0-9a-f]{${2*t}}$`,"i").test(e)}var We=10n**9n,Re=18;async function se(e){let{kit:t,place:n,ask:r,proposal:o,releaseId:a}=e;try{let i=await N(r,o);if(i.
releaseId!==a)throw new v("Another release.","These files are genuine, and of another release than this page shows.");t.
fill(n,qe(e,i))}catch(i){t.fill(n,ce(t,i))}}function ce(e,t){return t instanceof v?e.banner("bad",t.title,`${t.message} \
Nothing was sent.`):t instanceof m?e.banner("note","Not sent.",t.message):t instanceof d?e.banner("warn","No verdict.",`\
The node gave no usable answer, which says nothing about the release: ${t.message}`):e.failure(t,"the proof")}function qe(e,t){
let{kit:n,proposal:r}=e,{gas:o,gasMax:a,price:i,data:s,isKeyKnown:c}=t,l=n.proofFacts(t.word),u=`${l.isSimulated?"SIMULA\
TED hardware":`AMD EPYC ${l.line}`}, ${l.key}, lowest TCB ${l.lowestTcb}`,y=l.isSimulated?"It would say that the hardwar\
e was SIMULATED, which proves nothing.":"It would be proven for everybody.";return[n.banner(l.isSimulated?"warn":"good",
"The chain accepts it.",`The node simulated the proof with this evidence, and nothing was sent. ${y}`),n.facts(["The pro\
of would say",u],["Gas",`${o.toLocaleString("en")}; a transaction may have ${a.toLocaleString("en")}`],["Cost now",`${Ve(
BigInt(o)*i)} coins of this chain, at ${le(i,We)} gwei a unit of gas`],["Size",`${((s.length-2)/2).toLocaleString("en")}\
 bytes`],["Certificate",c?"known to the contract, so it is left out":"new to the contract, which keeps it"],["The oracle\
s\u2019 record",r.record==="0x"?"left out":"confirmed too"]),Ke(e),Ge(e,t)]}function Ke(e){let{kit:t}=e,n=t.note("There \
is no wallet in this browser. Any account on any machine can send the proof: see below."),r=t.el("div",{class:"choices"},
n),o=t.el("div",{class:"wallet",role:"status"});return re(a=>{n.remove();let i=t.el("button",{type:"button",class:"prima\
ry"},`Prove with ${a.name}`);r.append(t.on(i,"click",()=>{Fe(e,a,r,o)}))}),t.el("div",{},r,o)}async function Fe(e,t,n,r){
let{kit:o,ask:a,chainId:i,proposal:s}=e,c=[...n.querySelectorAll("button")],l=(...u)=>o.fill(r,...u);for(let u of c)u.disabled=
!0;try{let u=await ie(t,i,s,_=>l(o.note(_)));l(o.note("Sent. Waiting for a block with the transaction ",o.digestOf(u,"tr\
ansaction")," \u2026"));let y=await ae(a,u);if(y)return e.onProven();let[b,x]=y===void 0?["Not in a block yet.","The wal\
let sent the transaction. Look at this page again later."]:["It failed.","The transaction is in a block and was reverted\
, so nothing is proven."];l(o.banner(y===void 0?"note":"bad",b,x," ",o.digestOf(u,"transaction")))}catch(u){l(ce(o,u))}finally{
for(let u of c)u.disabled=!1}}function Ge({kit:e,rpcUrl:t,chainId:n,proposal:r},{data:o,limit:a}){let i=r.record==="0x"?
" --no-record":"",s=`provenance prove RELEASE --rpc ${t} --registry deployments/${n}.json${i} --keystore payer.json --pa\
ssword-file pw`;return e.el("details",{},e.el("summary",{},"Send it yourself, without a wallet in this browser"),e.el("p",
{},"This command does the same, with the folder of the release: ",e.el("code",{},s)," ",e.copyButton(s,"command")),e.el(
"p",{},"Or send a transaction without value from any account:"),e.facts(["Chain",n],["To",e.digestOf(r.proofs,"address o\
f the contract")],["Gas limit",a.toLocaleString("en")],["Data",e.copyButton(o,"data of the transaction")]),e.el("pre",{tabindex:"\
0","aria-label":"Data of the transaction"},e.el("span",{class:"line"},o)))}function Ve(e){return le(e,10n**BigInt(Re))}function le(e,t){
let n=t.toString().length-1,[r,o]=[e/t,(e%t).toString().padStart(n,"0")],a=/^0*/.exec(o)[0].length,i=o.slice(0,r>0n?6:a+
6).replace(/0+$/,"");return i?`${r}.${i}`:`${r}`}return be(Xe);})();
