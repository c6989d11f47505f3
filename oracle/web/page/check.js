"use strict";var provenanceCheck=(()=>{var _n=Object.defineProperty;var Aa=Object.getOwnPropertyDescriptor;var Ba=Object.getOwnPropertyNames;var va=Object.prototype.hasOwnProperty;var ka=(e,t)=>{for(var n in t)_n(e,n,{get:t[n],enumerable:!0})},Ca=(e,t,n,r)=>{if(t&&typeof t=="object"||typeof t=="func\
tion")for(let o of Ba(t))!va.call(e,o)&&o!==n&&_n(e,o,{get:()=>t[o],enumerable:!(r=Aa(t,o))||r.enumerable});return e};var Ta=e=>Ca(_n({},"__esModule",{value:!0}),e);var rh={};ka(rh,{judge:()=>th,judgeSigned:()=>nh,provenBy:()=>qu,provingEvidence:()=>eh});var Ia=Array.from({length:256},(e,t)=>t.toString(16).padStart(2,"0")),Ra=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}),
Pa=new TextDecoder("windows-1252"),Oa=new TextEncoder,$a=/^[A-Za-z0-9+/]*={0,2}$/;function f(e){let t="";for(let n of e)
t+=Ia[n];return t}function I(e){if(e.length%2!==0||!/^[0-9a-f]*$/.test(e))return;let t=new Uint8Array(e.length/2);for(let n=0;n<
t.length;n++)t[n]=Number.parseInt(e.slice(2*n,2*n+2),16);return t}function N(e){if(e.length%4!==0||!$a.test(e))return;let t=atob(
e),n=new Uint8Array(t.length);for(let o=0;o<n.length;o++)n[o]=t.charCodeAt(o);let r=n.subarray(n.length-(n.length%3||3));
return btoa(String.fromCharCode(...r))===e.slice(e.length?-4:0)?n:void 0}function ge(e){let t="";for(let n of e)t+=String.
fromCharCode(n);return btoa(t)}function V(e){try{return Ra.decode(e)}catch{return}}function k(e){return Oa.encode(e)}function v(e){
return e.length===0?0n:BigInt(`0x${f(e)}`)}function je(e){return v(Pt(e))}function Pt(e){return Uint8Array.from(e).reverse()}
function A(...e){let t=new Uint8Array(e.reduce((r,o)=>r+o.length,0)),n=0;for(let r of e)t.set(r,n),n+=r.length;return t}
function Fn(e,t){let n=Math.min(e.length,t.length);for(let r=0;r<n;r++){let o=e[r]-t[r];if(o)return o}return e.length-t.
length}function m(e,t){return e.length===t.length&&Fn(e,t)===0}function J(e){return e.every(t=>t===0)}function X(e){return Pa.
decode(e)}function me(e,t){let n=Math.min(e.length,t.length),r=0;for(;r<n&&e[r]===t[r];)r++;return r===n?e.length-t.length:
io(e.charCodeAt(r))-io(t.charCodeAt(r))}function io(e){return e>=55296&&e<57344?e+65536:e}function Ot(e){let t=0;for(let n=0;n<
e.length;n++){let r=e.charCodeAt(n),o=e.charCodeAt(n+1);r>=55296&&r<56320&&o>=56320&&o<57344&&n++,t++}return t}var ce=["report-format","endorsements-format","product-line","vek-chain","vek-validity","vek-revocation","vek-match","re\
port-signature","guest-policy","platform-info","vmpl","tcb-floor","tcb-consistency","mitigations","measurement","host-da\
ta","id-key","chip-allow-list","key-binding","manifest-format","manifest-signature","file-set","file-digests","publisher\
-signature","publisher-identity","lineage","registry-record","gpu-evidence"],C=class extends Error{constructor(n,r,o,i,s,a){
super(`${i}: ${o}: ${r}: got ${s||"nothing"}, wanted ${a||"nothing"}`);this.kind=n;this.problem=r;this.check=o;this.where=
i;this.got=s;this.wanted=a}kind;problem;check;where;got;wanted;static name="CheckError";name="CheckError";findings=[]},Ee=class extends Error{static name="\
UnsupportedError";name="UnsupportedError"};function y(e,t,n,r,o){return new C("malformed",t,e,n,r,o)}function x(e,t,n,r,o){
return new C("forged",t,e,n,r,o)}function _(e,t,n,r,o){return new C("refused",t,e,n,r,o)}function Ce(e,t){try{return t()}catch(n){
throw n instanceof C?new C(n.kind,n.problem,e,n.where,n.got,n.wanted):n}}var Na="not reached",Da=new Set(["gpu-evidence"]),
so=["failed","passed","not-checked"],Ge=class{#e=new Map;#n;constructor(t=()=>{}){this.#n=t}passed(t,n,r){this.add({check:t,
outcome:"passed",got:n,wanted:r})}notChecked(t,n){this.add({check:t,outcome:"not-checked",got:n,wanted:""})}add(t){let n=this.#e.
get(t.check);n&&so.indexOf(n.outcome)<so.indexOf(t.outcome)||(this.#e.set(t.check,t),this.#n(t))}findings(){return ce.filter(
n=>this.#e.has(n)||!Da.has(n)).map(n=>this.#e.get(n)??{check:n,outcome:"not-checked",got:Na,wanted:""})}async guard(t){try{
return await t()}catch(n){throw n instanceof C&&(this.#t(n),n.findings=this.findings()),n}}#t(t){if(this.#e.get(t.check)?.
outcome==="failed")return;let n=t.got||t.problem,r=t.kind==="incomplete"?{check:t.check,outcome:"not-checked",got:t.problem,
wanted:""}:{check:t.check,outcome:"failed",got:t.where?`${t.where}: ${n}`:n,wanted:t.wanted};this.#e.set(t.check,r),this.#n(
r)}};var Se=2n**63n-1n,Ma=-(2n**63n),Un=20,_a=3e6,Fa=32,Ua="one UTF-8 JSON value: unique keys, 64-bit integers, no floats, no\
 lone surrogates",ao=/-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y,$t=/[^"\\\u0000-\u001f]*/y,Hn=/[ \t\n\r]*/y,co={
'"':'"',"\\":"\\","/":"/",b:"\b",f:"\f",n:`
`,r:"\r",t:"	"},Ha=[["true",!0],["false",!1],["null",null]];function D(e,t){let{check:n,where:r,maxBytes:o}=t;if(e.length>
o)throw y(n,"too large",r,`${e.length} bytes`,`at most ${o} bytes`);let i=V(e),s=a=>y(n,"not strict JSON",r,a,Ua);if(i===
void 0)throw s("bytes that are not UTF-8");return new Kn(i,t,s).document()}var Kn=class{constructor(t,n,r){this.text=t;this.
limits=n;this.fail=r}text;limits;fail;#e=0;#n=0;document(){let t=this.#t(0);if(this.#o(),this.#e!==this.text.length)throw this.
fail(`extra data at character ${this.#e}`);return t}#t(t){this.#o();let n=this.text[this.#e];if(n==='"')return this.#l();
if(n==="{")return this.#r(t+1);if(n==="[")return this.#i(t+1);let r=Ha.find(([o])=>this.text.startsWith(o,this.#e));return r?
(this.#e+=r[0].length,r[1]):this.#g()}#r(t){let n=new Map;if(this.#c(t),this.#s("}"))return n;do{if(this.#o(),this.text[this.#e]!==
'"')throw this.fail(`no key at character ${this.#e}`);let r=this.#l();if(this.#o(),this.text[this.#e++]!==":")throw this.
fail(`no colon at character ${this.#e-1}`);let o=this.#t(t);if(n.has(r))throw this.fail(`key ${JSON.stringify(r)} occurs\
 twice`);n.set(r,o)}while(this.#d("}"));return n}#i(t){let n=[];if(this.#c(t),this.#s("]"))return n;do n.push(this.#t(t));while(this.#d(
"]"));return n}#c(t){let{maxDepth:n=Fa}=this.limits;if(t>n)throw this.fail(`nested more than ${n} deep at character ${this.#e}`);
this.#a()}#s(t){return this.#o(),this.text[this.#e]!==t?!1:(this.#a(),!0)}#d(t){if(this.#s(t))return!1;if(this.text[this.#e]!==
",")throw this.fail(`no comma or ${t} at character ${this.#e}`);return this.#a(),!0}#a(){this.#f(),this.#e++}#f(){let{maxTokens:t=_a}=this.
limits;if(++this.#n>t)throw this.fail(`more than ${t} strings, brackets and commas`)}#o(){Hn.lastIndex=this.#e,Hn.test(this.
text),this.#e=Hn.lastIndex}#l(){this.#f();let t=[];for(this.#e++;;){$t.lastIndex=this.#e,$t.test(this.text),t.push(this.
text.slice(this.#e,$t.lastIndex)),this.#e=$t.lastIndex;let r=this.text[this.#e++];if(r==='"')break;if(r!=="\\")throw this.
fail(`a control character or the end in a string at character ${this.#e-1}`);t.push(this.#h())}let n=t.join("");if(t.length>
1&&/\p{Cs}/u.test(n))throw this.fail("a lone surrogate");return n}#h(){let t=this.text[this.#e++]??"",n=Object.hasOwn(co,
t)?co[t]:void 0;if(n!==void 0)return n;let r=this.text.slice(this.#e,this.#e+4);if(t!=="u"||!/^[0-9A-Fa-f]{4}$/.test(r))
throw this.fail(`a wrong escape at character ${this.#e-2}`);return this.#e+=4,String.fromCharCode(Number.parseInt(r,16))}#g(){
ao.lastIndex=this.#e;let t=ao.exec(this.text);if(!t)throw this.fail(`no value at character ${this.#e}`);let[n,r,o]=t;if(this.#e+=
n.length,r===void 0&&o===void 0)return this.#u(n);if(!this.limits.wholeFloats||r!==".0"||o!==void 0)throw this.fail(`num\
ber ${n.slice(0,Un)} is not an integer`);return this.#u(n.slice(0,-2))}#u(t){let n=t.length<=Un?BigInt(t):Se+1n;if(n<Ma||
n>Se)throw this.fail(`integer ${t.slice(0,Un)}\u2026 does not fit 64 bits`);return n}};var P=class e{constructor(t,n,r,o=""){this.document=n;this.check=r;this.path=o;if(!(t instanceof Map))throw this.error("",
"wrong type",Nt(t),"an object");this.#e=new Map(t)}document;check;path;#e;get keys(){return[...this.#e.keys()]}has(t){return this.#e.
has(t)}where(t=""){let n=this.#t(t);return n?`${this.document}, ${n}`:this.document}error(t,n,r,o){return y(this.check,n,
this.where(t),r,o)}value(t){let n=this.#e.get(t);if(n===void 0)throw this.error(t,"missing","no such key",t);return this.#e.
delete(t),n}text(t,n=1024){let r=this.value(t);if(typeof r!="string")throw this.error(t,"wrong type",Nt(r),"a string");let o=Ot(
r);if(o>n)throw this.error(t,"too long",`${o} characters`,`at most ${n}`);return r}optionalText(t,n=1024){return this.has(
t)?this.text(t,n):void 0}constant(t,n){let r=this.text(t);if(r!==n)throw this.error(t,"unknown value",r,n)}integer(t,n=0n,r=Se){
let o=this.value(t);if(typeof o!="bigint")throw this.error(t,"wrong type",Nt(o),"an integer");if(o<n||o>r)throw this.error(
t,"out of range",String(o),`${n} to ${r}`);return o}hexBytes(t,n){let r=this.text(t),o=I(r);if(o?.length!==n)throw this.
error(t,"not a digest",r,`${2*n} lower-case hex digits`);return o}optionalHexBytes(t,n){return this.has(t)?this.hexBytes(
t,n):void 0}base64Bytes(t,n){let r=this.text(t,4*(Math.floor(n/3)+1)),o=N(r);if(!o||o.length>n)throw this.error(t,"not c\
anonical base64",r.slice(-8),"standard alphabet, padded, no stray bits");return o}fields(t){return this.#r(this.value(t),
t)}optionalFields(t){return this.has(t)?this.fields(t):void 0}fieldsList(t,n,r){let o=this.value(t);if(!Array.isArray(o))
throw this.error(t,"wrong type",Nt(o),"a list");if(o.length<n||o.length>r){let i=n===r?`exactly ${n}`:`${n} to ${r}`;throw this.
error(t,"wrong number of entries",String(o.length),i)}return o.map((i,s)=>this.#r(i,`${t}[${s}]`))}passOver(t,n){for(let r of t)
this.has(r)&&this.#n(r,this.value(r),n)}passOverRest(t){this.passOver(this.keys,t)}finish(){let[t]=[...this.#e.keys()].sort(
me);if(t!==void 0)throw this.error(t,"unknown key",t,"only keys that the format defines")}#n(t,n,r){let o=Ln(n);if(o>r)throw this.
error(t,"too large",`${o} characters`,`at most ${r}`)}#t(t){return this.path&&t?`${this.path}.${t}`:this.path||t}#r(t,n){
return new e(t,this.document,this.check,this.#t(n))}};function Ln(e){if(e===null||typeof e=="boolean"||typeof e=="bigint")
return String(e).length;if(typeof e=="string")return fo(e);let t=n=>2+2*Math.max(n-1,0);if(e instanceof Map){let n=t(e.size);
for(let[r,o]of e)n+=fo(r)+2+Ln(o);return n}return e.reduce((n,r)=>n+Ln(r),t(e.length))}function fo(e){let t=2;for(let n=0;n<
e.length;n++){let r=e.charCodeAt(n);t+=/["\\\b\f\n\r\t]/.test(e[n])?2:r<32||r>126?6:1}return t}function Nt(e){return e instanceof
Map?"an object":Array.isArray(e)?"a list":typeof e=="string"?`the string ${JSON.stringify(Array.from(e).slice(0,40).join(
""))}`:String(e)}var Ae=class extends Error{static name="FormatError";name="FormatError"};function Dt(e,t){let n=e instanceof Uint8Array?e:Va(e);if(n.length!==(t??n.length))throw new Ae(`${n.length} bytes, not ${t}`);
return n}function Vn(e,t){return`0x${Array.from(Dt(e,t),n=>n.toString(16).padStart(2,"0")).join("")}`}function Ka(e,t){return t===1?e===1n:t>48?e:Number(e)}function lo(e,t){let n=t,r=e.map(([o,i])=>{let s=Ka(BigInt.asUintN(i,n),i);return n>>=BigInt(i),[o,s]});return Object.fromEntries(
r)}var st=17;function Ye(e){let t=Dt(e),n=new Uint8Array(t.length+8*st-t.length%(8*st));n.set(t),n[t.length]=1,n[n.length-1]|=
128;let r=new DataView(n.buffer),o=new BigUint64Array(25);for(let s=0;8*s<n.length;s++)o[s%st]^=r.getBigUint64(8*s,!0),s%
st===st-1&&La(o);let i=new DataView(new ArrayBuffer(32));for(let s=0;s<4;s++)i.setBigUint64(8*s,o[s],!0);return Vn(new Uint8Array(
i.buffer))}function La(e){let t=(o,i)=>o<<BigInt(i)|o>>BigInt(64-i),n=new BigUint64Array(5),r=1;for(let o=0;o<24;o++){for(let s=0;s<
5;s++)n[s]=e[s]^e[s+5]^e[s+10]^e[s+15]^e[s+20];for(let s=0;s<25;s++)e[s]^=n[(s+4)%5]^t(n[(s+1)%5],1);let i=e[1];for(let s=0,
a=1,c=0;s<24;s++){[a,c]=[c,(2*a+3*c)%5];let d=e[a+5*c];e[a+5*c]=t(i,(s+1)*(s+2)/2%64),i=d}for(let s=0;s<25;s+=5){let a=e.
slice(s,s+5);for(let c=0;c<5;c++)e[s+c]=a[c]^~a[(c+1)%5]&a[(c+2)%5]}for(let s=0;s<7;s++)r&1&&(e[0]^=1n<<BigInt(2**s-1)),
r=r<<1^(r&128?369:0)}}function Va(e){if(!(typeof e=="string"&&/^0x([0-9a-f]{2})*$/i.test(e)))throw new Ae("not 0x and pa\
irs of digits");return Uint8Array.from(e.slice(2).match(/../g)??[],n=>parseInt(n,16))}var ja=["modelDigest","manifestDigest","verdictDigest","reportDigest","policyDigest","publisherIdentity"],Ga=192,uo=224,
Ya=[["reportedTcb",64],["checks",32],["passed",1],["unused",55],["judgedAt",40],["policyId",32],["revision",16],["grade",
8],["productLine",8]];function go(e){let t=Dt(e);if(t.length<uo+2)throw Mt(t);let n=u=>Vn(t.subarray(u,u+32)),{unused:r,...o}=lo(Ya,BigInt(n(Ga))),
[i,s]=ho(t,uo),[a,c]=ho(t,s);if(r!==0n||(t.length-c)%32!==0)throw Mt(t);let d=[];for(let u=c;u<t.length;u+=32)d.push(n(u));
return{...Object.fromEntries(ja.map((u,g)=>[u,n(32*g)])),...o,namespace:i,release:a,parents:d}}function ho(e,t){let n=t+1+(e[t]??0);if(n>e.length)throw Mt(e);try{return[new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}).
decode(e.subarray(t+1,n)),n]}catch{throw Mt(e)}}function Mt(e){return new Ae(`${e.length} bytes, not those of a record`)}var za=2,[mo,Ja]=[254,255],Xa=253402300799,yo=192,Za=8;function po(e,t){let n=qa(e,t),{passed:r,grade:o,productLine:i,policyId:s,
judgedAt:a,revision:c,parents:d,namespace:l,release:u}=n;if(s===0||o>(r&&i!==mo&&i!==Ja?za:0))throw Te(t,`grade ${o}, po\
licy ${s}`,"a policy, and a grade that was earned");if(!r&&(c||d.length))throw Te(t,"a FAILED verdict with a revision or\
 parents","neither");if(!l||l.includes("/")||!u.includes("@"))throw Te(t,`${l}/${u}`,"namespace/model@version");if(a>Xa)
throw Te(t,`${a}`,"seconds since 1970, before the year 10000");let h=e.subarray(yo,yo+32);return i===mo&&r&&Qa(n,h,t),{fields:n,
facts:h,id:Wa(n)}}function Qa(e,t,n){let o=ce.map((s,a)=>a<ce.indexOf("manifest-format")||s==="gpu-evidence"?a:-1).some(
s=>s>=0&&e.checks&1<<s);if(J(de(e.publisherIdentity)))throw Te(n,"a signed release without a publisher","the identity of\
 the signer");if(!(J(de(e.reportDigest))&&J(t.subarray(-Za))&&!e.grade)||o)throw Te(n,"claims of hardware","no report, T\
CB, grade or check of hardware in a signed release")}function Wa(e){let{passed:t,revision:n}=e,[r,o,i]=[e.modelDigest,e.
manifestDigest,e.verdictDigest].map(de);if(!t)return Z(r,o,i);let s=Z(r,o);return n?Z(s,Uint8Array.of(n>>8,n&255)):s}function Z(...e){
return de(Ye(A(...e)))}function de(e){return I(e.slice(2))}function qa(e,t){try{return go(e)}catch(n){throw n instanceof
Ae?Te(t,n.message,f(e.subarray(0,16))):n}}function Te(e,t,n){return y("registry-record","the record is malformed",e,t,n)}var jn="registry-record",Gn=128,bo=7,ec=65536,tc=16384,nc=13;function _t(e,t){let n=new P(D(e,{where:t,check:jn,maxBytes:ec}),
t,jn);n.has("schema")&&n.constant("schema","provenance-oracle/proof/v1"),n.passOver(["accepted"],5);let r=n.hexBytes("ro\
ot",32),o=Number(n.integer("leaf",0n,BigInt(Gn-1)));n.integer("count",1n,BigInt(Gn));let[i,s]=[n.hexBytes("model_digest",
32),n.hexBytes("manifest_digest",32)],a=oc(n),c=ic(n.fields("proof"));n.finish();let d=po(a,t);if(rc(d,a,c,r),o===c.summary[31]&&
m(i,de(d.fields.modelDigest))&&m(s,de(d.fields.manifestDigest)))return{root:r,leaf:o,record:d};let u=`leaf ${c.summary[31]}\
 with manifest ${d.fields.manifestDigest}`;throw wo("the document contradicts the record in it",t,"another leaf or diges\
t",u)}function rc({facts:e,id:t},n,r,o){let{contentDigest:i,summary:s,siblings:a}=r,c=s[31],d=new Uint8Array(32);d.set(e.
subarray(0,nc)),d[31]=c,d[30]=s[30]&1;let l=Z(t,i,s);if(a.forEach((g,h)=>{l=c>>h&1?Z(g,l):Z(l,g)}),!(m(i,Z(n))&&c<Gn&&m(
s,d)&&m(l,o)))throw wo("the record is not in this batch",`leaf ${c}`,"another leaf or root",f(o))}function oc(e){let t=I(
e.text("record",tc));if(!t?.length)throw e.error("record","the text is not hex","another text","lower-case hex digits");
return t}function ic(e){let t=(i,s)=>{if(typeof s=="string"&&/^0x[0-9a-f]{64}$/.test(s))return de(s);throw e.error(i,"no\
t a word","another value","0x and 64 lower-case hex digits")},n=t("contentDigest",e.value("contentDigest")),r=t("summary",
e.value("summary")),o=e.value("siblings");if(!Array.isArray(o)||o.length!==bo)throw e.error("siblings","not the way to a\
 root","something else",`${bo} words`);return e.finish(),{contentDigest:n,summary:r,siblings:o.map(i=>t("siblings",i))}}
function wo(e,t,n,r){return x(jn,e,t,n,r)}var[ct,j,Je,U,sc,M]=[1,2,3,4,5,6],[G,Be,dt,ze,Xe]=[12,19,22,23,24],[w,ee]=[48,49],So=Uint8Array.of(255),ac=16,xo=5e4,cc=21,
Ao=32,[Bo,vo,dc]=[32,128,192],fc=2050;function B(e,t,n=ac){let{value:r,end:o}=new Yn(e,t,n).value(0,e.length,0);if(o!==e.
length)throw t("extra bytes after the value",`${e.length-o} bytes`,"none");return r}var Yn=class{constructor(t,n,r){this.
data=t;this.problem=n;this.levels=r}data;problem;levels;#e=xo;value(t,n,r){if(this.#e--,r>this.levels||this.#e<0)throw this.
problem("too many levels or values","more",`at most ${this.levels} levels and ${xo} values`);let{tag:o,begin:i,end:s}=this.#n(
t,n),a=[];for(let d=o&Bo?i:s;d<s;){let l=this.value(d,s,r+1);a.push(l.value),d=l.end}let c={tag:o,content:this.data.subarray(
i,s),encoding:this.data.subarray(t,s),children:a};return uc(c,this.problem),{value:c,end:s}}#n(t,n){let{data:r,problem:o}=this;
if(t+2>n)throw o("the value is cut short",`${n-t} bytes`,"a tag and a length");let i=r[t],s=r[t+1],a=t+2;if((i&31)===31||
i===0)throw o("unsupported tag",Ft(i),"a tag in one byte, not zero");if(s&128){let c=s&127;if(c<1||c>4||a+c>n)throw o("u\
nsupported length",Ft(s),"definite, at most four bytes");if(s=Number(v(r.subarray(a,a+c))),s<128||s<2**(8*(c-1)))throw o(
"length is not minimal",f(r.subarray(t,a+c)),"the shortest form");a+=c}if(a+s>n)throw o("the value is cut short",`${n-a}\
 bytes`,`${s} bytes`);return{tag:i,begin:a,end:a+s}}},at=()=>!0,Eo=e=>e.every(t=>t<128),lc=new Map([[ct,[e=>e.length===1&&
(e[0]===0||e[0]===255),"00 or ff"]],[j,[hc,"an integer in its shortest form"]],[Je,[gc,"unused bits counted, and zero"]],
[U,[at,""]],[sc,[e=>e.length===0,"nothing"]],[M,[zn,`at most ${Ao} bytes, arcs in their shortest form`]],[G,[e=>V(e)!==void 0,
"UTF-8"]],[Be,[Eo,"ASCII"]],[dt,[Eo,"ASCII"]],[ze,[at,""]],[Xe,[at,""]],[w,[at,""]],[ee,[at,""]]]);function uc({tag:e,content:t,
children:n},r){if((e&dc)===vo)return;let o=lc.get(e);if(!o)throw r("unsupported tag",Ft(e),"one of those that certificat\
es are made of");let i=f(t.subarray(0,16));if(!o[0](t))throw r(`malformed value of tag ${Ft(e)}`,i||"nothing",o[1]);let s=n.
every(({encoding:a},c)=>c===0||Fn(n[c-1].encoding,a)<=0);if(e===ee&&!s)throw r("members of a SET are out of order",i,"me\
mbers sorted by their encoding")}function hc(e){let[t,n]=e;return t===void 0||n===void 0?e.length===1:!(t===0&&n<128)&&!(t===
255&&n>=128)}function gc(e){return e.length<2?e.length===1&&e[0]===0:e[0]<8&&(e.at(-1)&(1<<e[0])-1)===0}function zn(e){return e.
length>0&&e.length<=Ao&&e.at(-1)<128&&e.every((n,r)=>n!==128||r>0&&e[r-1]>=128)}function Ie(e,t){let{tag:n,content:r,encoding:o}=e;
if(n!==j||r[0]&128||r.length>cc)throw t("not a number",f(o.subarray(0,16)),"a non-negative INTEGER of at most 20 octets");
return v(r)}function R(e,t){if(e.tag!==M)throw t("not an object identifier",f(e.encoding.subarray(0,16)),"an OBJECT IDEN\
TIFIER");let n=[],r=0n;for(let a of e.content)r=r<<7n|BigInt(a&127),!(a&128)&&(n.push(r),r=0n);let[o,...i]=n,s=o<80n?o/40n:
2n;return[s,o-40n*s,...i].join(".")}function Re(e,t){let n=mc(e.tag,String.fromCharCode(...e.content.subarray(0,16)),e.content.
length);if(n!==void 0)return n;throw t("not a time",f(e.encoding.subarray(0,24)),"UTCTime, from 2050 on GeneralizedTime,\
 in seconds and Z")}function mc(e,t,n){if(t.length!==n||!/^[0-9]+Z$/.test(t))return;let r=e===ze&&n===13?(t<"50"?"20":"1\
9")+t:t,o=Number(r.slice(0,4));if(e===ze?n!==13:e!==Xe||n!==15||o<fc)return;let[i,s,a,c,d]=[4,6,8,10,12].map(l=>Number(r.
slice(l,l+2)));return ft(o,i,s,a,c,d)}function ft(e,t,n,r,o,i){let s=new Date(0);if(s.setUTCFullYear(e,t-1,n),!(!(e>0&&s.
getUTCMonth()===t-1&&s.getUTCDate()===n)||r>23||o>59||i>59))return s.getTime()/1e3+3600*r+60*o+i}function Ut(e,t,n){return e?.
tag===t&&m(e.content,n)}function Y(e){return vo|Bo|e}function Q(e,t){let n=t.length,r=n<128?[n]:n<256?[129,n]:[130,n>>8,
n&255],o=new Uint8Array(1+r.length+n);return o.set([e,...r]),o.set(t,1+r.length),o}function Ft(e){return`0x${e.toString(
16)}`}var Ht=e=>I(e),Io=[{algorithm:"ECDSA P-256",size:32,prefix:Ht("3059301306072a8648ce3d020106082a8648ce3d03010703420004")},
{algorithm:"ECDSA P-384",size:48,prefix:Ht("3076301006072a8648ce3d020106052b8104002203620004")},{algorithm:"ECDSA P-521",
size:66,prefix:Ht("30819b301006072a8648ce3d020106052b810400230381860004")},{algorithm:"Ed25519",size:32,prefix:Ht("302a3\
00506032b6570032100")}],yc={"P-256":{prime:2n**256n-2n**224n+2n**192n+2n**96n-1n,b:0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn},
"P-384":{prime:2n**384n-2n**128n-2n**96n+2n**32n-1n,b:0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn},
"P-521":{prime:2n**521n-1n,b:0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n}},
pc=32,Jn=2n**255n-19n,ko=0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,bc=[0n,1n,Jn-1n,ko,Jn-ko],wc={
"P-256":"SHA-256","P-384":"SHA-384","P-521":"SHA-512"},Co=16*1024,xc=64;function Pe(e){let t=Io.find(({prefix:r})=>m(e.subarray(
0,r.length),r));if(!t)return;let n=e.subarray(t.prefix.length);return t.algorithm==="Ed25519"?n.length===t.size&&Ro(n)?t.
algorithm:void 0:n.length===2*t.size&&Ec(n,t)?t.algorithm:void 0}function Ro(e){let t=BigInt.asUintN(255,je(e));return t<
Jn&&!bc.includes(t)}function Lt(e){return e==="Ed25519"?void 0:e.slice(6)}function Ec(e,{algorithm:t,size:n}){let{prime:r,
b:o}=yc[Lt(t)],[i,s]=[v(e.subarray(0,n)),v(e.subarray(n))];return i<r&&s<r&&(i**3n-3n*i+o-s*s)%r===0n}function Vt(e,t){if(e.
length>Co)throw Kt(t,`${e.length} bytes`,`at most ${Co} bytes`);let n=To(X(e).replaceAll(`\r
`,`
`)),r=n.split(`
`),o=N(r.slice(1,-1).join(""));if(!o?.length)throw Kt(t,"no such block, or a malformed one","one PEM block PUBLIC KEY");
if(n!==To(lt(o,"PUBLIC KEY")))throw Kt(t,"another encoding of a key, or more than one","exactly the canonical PUBLIC KEY\
 block");let i=Pe(o);if(!i||i==="ECDSA P-521")throw Kt(t,"another kind of key","ECDSA on P-256 or P-384, or Ed25519");return{
spki:o,algorithm:i}}function lt(e,t){let n=ge(e).match(new RegExp(`.{1,${xc}}`,"g"))??[];return[`-----BEGIN ${t}-----`,...n,
`-----END ${t}-----`,""].join(`
`)}function To(e){return e.endsWith(`
`)?e.slice(0,-1):e}function Kt(e,t,n){return y("key-binding","not an acceptable public key",e,t,n)}async function W(e,t,n,r){
let o=Lt(e.algorithm);if(!o){let[s,a]=["Ed25519",t.subarray(0,pc)];return Ro(a)&&ht(e.spki,{name:s},{name:s},t,n)}let i=gt(
t,Sc(o));return i!==void 0&&ut(e.spki,o,i,n,r??wc[o])}async function ut(e,t,n,r,o){return ht(e,{name:"ECDSA",namedCurve:t},
{name:"ECDSA",hash:o},n,r)}async function Po(e,t,n,r,o){return ht(e,{name:"RSA-PSS",hash:r},{name:"RSA-PSS",saltLength:o},
t,n)}async function ht(e,t,n,r,o){let i=Oo();try{let s=await i.importKey("spki",e,t,!1,["verify"]);return await i.verify(
n,s,r,o)}catch(s){if(s instanceof DOMException&&s.name==="NotSupportedError")throw new Ee(`this browser cannot verify si\
gnatures by ${t.name}; a newer one can`);if(s instanceof DOMException)return!1;throw s}}function Sc(e){return Io.find(({
algorithm:t})=>t===`ECDSA ${e}`).size}function gt(e,t){let n=e[1]===129?3:2,r=e.subarray(n),o=n===2?r.length<128:r.length>=
128&&r.length<256;if(e[0]!==48||!o||e[n-1]!==r.length)return;let i=2+(r[1]??0),a=[r.subarray(0,i),r.subarray(i)].map(c=>Ac(
c,t));return a[0]&&a[1]&&A(a[0],a[1])}function Ac(e,t){let[n,r,o,i]=e;if(n!==2||r!==e.length-2||o===void 0||o>=128||o===
0&&i!==void 0&&i<128)return;let s=e.subarray(o===0?3:2);if(s.length>t)return;let a=new Uint8Array(t);return a.set(s,t-s.
length),a}async function p(e,t){return new Uint8Array(await Oo().digest(e,t))}function Oo(){let e=globalThis.crypto.subtle;
if(e)return e;throw new Ee("this page has no WebCrypto: open it over https, or from 127.0.0.1")}var Zn=16*1024,jt=4,$o=2*jt*Zn,Xn=/-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{1,64}\r?\n)-----END ([A-Z0-9 ]{1,40})-----(?:(?:\r?\n)+|$)/y,
Bc=I("a003020102"),vc=I("0603550403"),kc=I("300d06092a864886f70d0101010500");function ye(e,t){return e.extensions.find(n=>n.
oid===t)?.value}function E(e,t,n,r){return y("endorsements-format",t,e,n,r)}function H(e,t=""){return(n,r,o)=>E(e,n+t,r,
o)}function mt(e,t){if(e.length>$o){let n=`at most ${$o}`;throw E(t,"the certificate file is too large",`${e.length} byt\
es`,n)}return Qn(e)?yt(e,"CERTIFICATE",t):Cc(e,t)}function Qn(e){return X(e.subarray(0,11))==="-----BEGIN "}function yt(e,t,n,r=jt){
let o=X(e),i=[];for(let s=0;s<o.length;s=Xn.lastIndex){Xn.lastIndex=s;let[,a,c="",d]=Xn.exec(o)??[];if(a!==t||d!==t||i.length===
r){let u=`at most ${r} blocks of ${t} and nothing else`;throw E(n,"malformed PEM",`byte ${s}`,u)}let l=N(c.replace(/[\r\n]/g,
""));if(!l?.length)throw E(n,"malformed PEM","base64 in another form","canonical base64");i.push(l)}return i}function Cc(e,t){
let n=[];for(let r=0;r<e.length;){let[o,i,s=0,a]=e.subarray(r,r+4),c=r+4+256*s+(a??0);if(o!==w||i!==130||a===void 0||c>e.
length||n.length===jt){let d=`PEM, or at most ${jt} in DER`;throw E(t,"not a file of certificates",`byte ${r}`,d)}n.push(
e.subarray(r,c)),r=c}return n}function Oe(e,t){if(e.length>Zn){let h=`at most ${Zn}`;throw E(t,"the certificate is too l\
arge",`${e.length} bytes`,h)}let n=H(t),{signed:r,fields:o}=pt(e,t),[i,s,a,c,d,l,u,g]=o;if(o.length!==8||!m(i.encoding,Bc))
throw E(t,"wrong certificate structure",`${o.length} fields`,"X.509 v3 with extensions");if(Wn(a,r,t),[c,d,l].some(h=>h.
tag!==w)||d.children.length!==2)throw E(t,"malformed names or validity","another structure","those of a certificate");return{
der:e,signed:r,serial:Ie(s,n),issuer:c.encoding,notBefore:Re(d.children[0],n),notAfter:Re(d.children[1],n),subject:l.encoding,
commonName:Rc(l),spki:u.encoding,key:Gt(u,t),extensions:bt(g,3,t),where:t}}function Wn(e,t,n){if(m(e.encoding,t.algorithm))
return;throw E(n,"conflicting signature algorithms","two different ones","the same inside and outside")}function pt(e,t,n=H(
t)){let r=B(e,n),[o,i,s]=r.children,a=r.children.map(({tag:d})=>d).join();if(r.tag!==w||a!==[w,w,Je].join())throw E(t,"w\
rong outer structure",`tag ${r.tag}, ${r.children.length} parts`,"a SEQUENCE of what is signed, algorithm and signature");
if(s.content[0]!==0)throw E(t,"malformed signature","not whole bytes","a BIT STRING of whole bytes");return{signed:{tbs:o.
encoding,algorithm:i.encoding,signature:s.content.subarray(1)},fields:o.children}}function bt(e,t,n){let[r]=e.children;if(e.
tag!==Y(t)||e.children.length!==1)throw E(n,"malformed extensions",`tag ${e.tag}`,"a field of extensions");return qn(r,n)}
function qn(e,t){if(e.tag!==w)throw E(t,"malformed extensions",`tag ${e.tag}`,"a sequence");let n=e.children.map(o=>Tc(o,
t)),r=new Set(n.map(({oid:o})=>o));if(n.length===0||r.size!==n.length)throw E(t,"missing or repeated extensions","none, \
or one twice","each once");return n}function Tc(e,t){let n=e.children,r=n.at(-1),o=n.length===3;if(!(e.tag===w&&(n.length===
2||o)&&r?.tag===U)||o&&!Ut(n[1],ct,So))throw E(t,"malformed extension",f(e.encoding.subarray(0,16)),"identifier, critica\
l if it is, OCTET STRING");return{oid:R(n[0],H(t)),critical:o,value:r.content}}function Gt(e,t){let n=Pe(e.encoding),r=n&&
Lt(n);if(r)return{curve:r};let[o,i]=e.children,a=e.children.length===2&&m(o.encoding,kc)&&i.tag===Je&&i.content[0]===0?Ic(
i.content.subarray(1),t):void 0;if(!a)throw E(t,"unreadable public key","another kind","an RSA or elliptic curve key");return a}
function Ic(e,t){let{tag:n,children:r}=B(e,H(t," in the public key"));if(!(n===w&&r.length===2&&r.every(c=>c.tag===j))||
r.some(({content:c})=>c[0]>=128))return;let[i,s]=r.map(({content:c})=>v(c));return i>=3n&&s>=3n&&s<i&&s%2n===1n?{bits:i.
toString(2).length,exponent:s}:void 0}function Rc(e){let n=e.children.flatMap(i=>i.children.map(({children:s})=>s)).filter(
i=>i.length===2&&m(i[0].encoding,vc)),r=n[0]?.[1];return n.length===1&&(r?.tag===G||r?.tag===Be)?V(r.content)??"":""}var te="application/vnd.in-toto+json",O="provenance/manifest.dsse.json",Ze=64*1024*1024,Pc=256,Oc=64;function $e(e,t){let n=k(
e);return A(k(`DSSEv1 ${n.length} ${e} ${t.length} `),t)}function Yt(e,t=O){let n="manifest-format",r=D(e,{where:t,check:n,
maxBytes:Ze,maxTokens:Oc}),o=new P(r,t,n);o.constant("payloadType",te);let i=o.base64Bytes("payload",Ze),[s]=o.fieldsList(
"signatures",1,1),a=s.base64Bytes("sig",Pc),c=s.optionalText("keyid",256)??"";return s.finish(),o.finish(),{payload:i,signature:a,
keyid:c}}async function No(e,t,n=O){let{payload:r,signature:o}=e;if(await W(t,o,$e(te,r)))return r;throw x("manifest-sig\
nature","the signature does not verify",n,`${o.length} bytes that this key did not make over these bytes`,`${t.algorithm}\
 by the key in provenance/cvm-key.pem`)}var wt=e=>I(e),Do="a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020\
130",Mo="06092a864886f70d01010a",$c=[`3041${Mo}3034${Do}`,`3046${Mo}3039${Do}a303020101`].map(wt),[er,_o,Nc]=[4096,65537n,
48],Jt="2.5.29.35",[Fo,Uo,Ho]=["2.5.29.14","2.5.29.15","2.5.29.19"],Ko=new Map([[Fo,["SubjectKeyIdentifier",!1]],[Uo,["K\
eyUsage",!0]],[Ho,["BasicConstraints",!0]],["2.5.29.31",["CRLDistributionPoints",!1]],[Jt,["AuthorityKeyIdentifier",!1]]]),
[Lo,Dc]=[4,2],Mc=wt("0302"),Vo={constraints:wt("30030101ff"),usage:Lo|Dc},jo={constraints:wt("30060101ff020100"),usage:Lo};
async function tr(e,t,n){Go(e);let r=e.extensions.filter(({oid:a,critical:c})=>Ko.get(a)?.[1]!==c);if(r.length>0){let a=`\
foreign or wrongly marked: ${r.map(({oid:c})=>c).join(", ")}`;throw ne(e,"wrong extensions",a,"those of an authority")}let o=zt(
e,Ho),i=zt(e,Uo);if(!m(o,n.constraints)){let a=`${f(n.constraints)}: a CA of this level`;throw ne(e,"wrong basic constra\
ints",f(o),a)}let s=i.at(-1)??0;if(!m(i.subarray(0,-2),Mc)||(s&n.usage)!==n.usage)throw ne(e,"wrong key usage",`${f(i)}:\
 may not sign all it signs`,`bits ${n.usage}`);if(e!==t){let a=zt(e,Jt),c=nr(t);if(!m(a,c))throw ne(e,"wrong authority k\
ey id",f(a),f(c))}await rr(e,t)}function nr(e){return A(wt("301680"),zt(e,Fo).subarray(1))}async function rr(e,t){if(!m(
e.issuer,t.subject))throw ne(e,"wrong issuer","another name",t.commonName);await or(e.signed,t,"vek-chain",e.where,e.commonName)}
async function or(e,t,n,r,o){if(!$c.some(s=>m(s,e.algorithm))){let s=`unsupported signature algorithm of ${o}`;throw x(n,
s,r,f(e.algorithm),"RSASSA-PSS, SHA-384, salt 48")}if(Go(t),!(e.signature.length*8===er&&await Po(t.spki,e.signature,e.tbs,
"SHA-384",Nc)))throw x(n,`invalid signature of ${o}`,r,"does not verify",`a signature by ${t.commonName}`)}function Xt(e,t){
if(m(e.subject,_c(t)))return;let n=`CN=${t}, Advanced Micro Devices`;throw ne(e,"wrong subject",e.commonName||"another n\
ame",n)}function _c(e){let n=[[11,G,"Engineering"],[6,Be,"US"],[7,G,"Santa Clara"],[8,G,"CA"],[10,G,"Advanced Micro Devi\
ces"],[3,G,e]].map(([r,o,i])=>{let s=A(Q(M,Uint8Array.of(85,4,r)),Q(o,k(i)));return Q(ee,Q(w,s))});return Q(w,A(...n))}function Go(e){
let{key:t}=e;if(!("bits"in t&&t.bits===er&&t.exponent===_o))throw ne(e,"wrong kind of key","another key",`RSA-${er}, exp\
onent ${_o}`)}function zt(e,t){let n=ye(e,t);if(n)return n;throw ne(e,"missing extension",`no ${Ko.get(t)?.[0]}`,"one")}
function ne(e,t,n,r){return x("vek-chain",`${t} (${e.commonName||"unnamed"})`,e.where,n||"nothing",r)}var Zt=1024*1024,Fc=I("020101"),[Uc,Hc,Kc]=["2.5.29.20","2.5.29.27","2.5.29.28"];function Yo(e,t){let n=Lc(e,t),r=H(t),{
signed:o,fields:i}=pt(n,t),[s,a,c,d,l,u]=i;if(i.length!==6&&i.length!==7||!m(s.encoding,Fc))throw E(t,"wrong structure o\
f the revocation list",`${i.length} fields`,"X.509 v2 with next update and extensions");if(Wn(a,o,t),c.tag!==w)throw E(t,
"malformed issuer",`tag ${c.tag}`,"a name");return{der:n,signed:o,issuer:c.encoding,...Vc(bt(i.at(-1),0,t),t),thisUpdate:Re(
d,r),nextUpdate:Re(l,r),revokedSerials:i.length===7?jc(u,t):new Set,where:t}}function zo(e,t){return e.thisUpdate<=t&&t<=
e.nextUpdate}function Lc(e,t){if(e.length>2*Zt){let o=`at most ${Zt}`;throw E(t,"the revocation list is too large",`${e.
length} bytes`,o)}let[n,...r]=Qn(e)?yt(e,"X509 CRL",t):[e];if(!n||r.length>0||n.length>Zt){let o=`one of at most ${Zt} b\
ytes`;throw E(t,"wrong number or size of revocation lists",`${r.length+1}`,o)}return n}function Vc(e,t){let n=new Map(e.
map(({oid:a,value:c})=>[a,c])),r=[...n.keys()].sort().join(", ");if(e.some(({critical:a})=>a)||n.has(Hc)||n.has(Kc))throw E(
t,"unsupported extensions of the revocation list",r,"a complete list, and no critical extension");let[o,i]=[n.get(Uc),n.
get(Jt)];if(!o||!i)throw E(t,"missing extensions of the revocation list",r,"CRL number and authority key id");let s=H(t,
" in the CRL number");return{number:Ie(B(o,s),s),authorityKeyId:i}}function jc(e,t){if(e.tag!==w||e.children.length===0){
let o=`tag ${e.tag}, ${e.children.length} entries`;throw E(t,"malformed entries of the revocation list",o,"a sequence of\
 one or more")}let n=e.children.map(o=>Gc(o,t)),r=new Set(n);if(r.size!==n.length)throw E(t,"repeated entries of the rev\
ocation list","a serial number twice","each once");return r}function Gc(e,t){let[n,r,o,...i]=e.children;if(e.tag!==w||!n||
!r||i.length>0){let s=f(e.encoding.subarray(0,16));throw E(t,"malformed entry of the revocation list",s,"a serial number\
 and a time")}if(Re(r,H(t)),o&&qn(o,t).some(({critical:s})=>s))throw E(t,"unsupported entry of the revocation list","a c\
ritical extension","none");return Ie(n,H(t))}var re="1.3.6.1.4.1.3704.1.",[Xo,ir,Zo,sr]=["1","2","4","5"].map(e=>re+e),Qo=new Map([[`${re}3.1`,"bootloader"],[`${re}3\
.2`,"tee"],[`${re}3.3`,"snp"],[`${re}3.8`,"microcode"],[`${re}3.9`,"fmc"]]),Qt=`${re}3.4`,Wo=[Qt,`${re}3.5`,`${re}3.6`,`${re}\
3.7`],Yc=new Set([Qt,`${re}3.9`]),zc=/^[\x20-\x7e]{1,256}$/;function Wt(e,t,n){let r=mt(e.data,e.where),o=mt(t.data,t.where);
if(r.length!==1)throw E(e.where,"wrong number of certificates",`${r.length}`,"one, the VCEK or VLEK");if(o.length!==2)throw E(
t.where,"wrong number of certificates",`${o.length}`,"two, ASK or ASVK and ARK");let i=o.map(d=>Oe(d,t.where)),s=i.filter(
({subject:d,issuer:l})=>m(d,l)),[a]=i.filter(d=>!s.includes(d)),[c]=s;if(s.length!==1||!c||!a){let d=`${s.length}`;throw E(
t.where,"wrong number of self-issued certificates",d,"one, the ARK")}return{vek:ar(Oe(r[0],e.where)),intermediate:a,ark:c,
crl:n&&Yo(n.data,n.where)}}function ar(e){let{where:t,commonName:n}=e;if(n!=="SEV-VCEK"&&n!=="SEV-VLEK")throw E(t,"subje\
ct",n,"SEV-VCEK or SEV-VLEK");let r=n==="SEV-VCEK"?"VCEK":"VLEK",o=Jc(e,r),i=a=>Xc(o.get(a),a,t);for(let a of Wo)if(o.has(
a)&&i(a)!==0)throw E(t,`reserved extension ${a} is set`,"not zero","zero");let s=[...Qo].filter(([a])=>o.has(a));return{
certificate:e,kind:r,structVersion:i(Xo),productName:Jo(o.get(ir),ir,t),tcb:new Map(s.map(([a,c])=>[c,i(a)])),hwid:r==="\
VCEK"?Zc(o.get(Zo),t):void 0,cspId:r==="VLEK"?Jo(o.get(sr),sr,t):void 0}}function Jc(e,t){let r=[Xo,ir,t==="VCEK"?Zo:sr,
...Qo.keys(),...Wo],o=new Map(e.extensions.map(({oid:a,value:c})=>[a,c])),i=r.filter(a=>!o.has(a)&&!Yc.has(a)),s=e.extensions.
filter(({oid:a,critical:c})=>c||!r.includes(a));if(i.length+s.length>0){let a=`missing, foreign or critical: ${[...i,...s.
map(({oid:c})=>c)].sort().join(", ")}`;throw E(e.where,"wrong set of extensions",a,`those of a ${t}`)}return o}function Xc(e,t,n){
let r=H(n,` in extension ${t}`),o=Ie(B(e,r),r);if(o>0xffn)throw E(n,`extension ${t} is out of range`,`${o}`,"0 to 255");
return Number(o)}function Jo(e,t,n){let{tag:r,content:o}=B(e,H(n,` in extension ${t}`)),i=String.fromCharCode(...o.subarray(
0,257));if(r===dt&&zc.test(i)&&m(k(i),o))return i;let s=f(e.subarray(0,32));throw E(n,`extension ${t} is not a valid tex\
t`,s,"a short printable IA5String")}function Zc(e,t){if(e.length===8||e.length===64)return e;throw E(t,"wrong size of hw\
ID",`${e.length} bytes`,"64 raw bytes (8 on Turin)")}var qo=["Milan","Genoa","Turin"];function qt(e){let[t]=e.split("-"),n=qo.findIndex(r=>r===t)+1;if(n===0)throw y("product\
-line","unknown product line","vek",e,qo.join(", "));return n}var Qe=(e,t,n)=>({line:t,kind:e,arkSha256:n}),ti=[Qe("amd",
"Milan","69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),Qe("amd","Genoa","4c6598d19c18719c5dfd4a7d33\
5f674e5bfe1d8f800cea2cf270c10d103db2f1"),Qe("amd","Turin","1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3\
f6a")],ni=[Qe("simulator","Milan","152386dec633d422a7104fcb81de7baec2b1300ebaa4444106c7d542f3c40bcf"),Qe("simulator","Ge\
noa","7f3fe4ef2c92d5cd40579cfe6d86c9b13a6a43e7216e9e39629f7cb04bd960f1"),Qe("simulator","Turin","f10e606a8fa25a01ef02152\
1bbc8549cef213dabe778d1bf6574d2c109d1e3fa")],Qc=[[25,0,15,"Milan"],[25,16,31,"Genoa"],[25,160,175,"Genoa"],[26,0,17,"Tur\
in"]];function cr({family:e,model:t}){return Qc.find(([n,r,o])=>n===e&&r<=t&&t<=o)?.[3]}function ri(e){return`${Wc(e)} (${cr(
e)??"no supported line"})`}function Wc({family:e,model:t,stepping:n}){let r=o=>`${o.toString(16).padStart(2,"0")}h`;return`${r(
e)}/${r(t)}/${n}`}var oi={Milan:{productNames:["Milan","Milan-B0","Milan-B1"],structVersion:0,hwidBytes:64,hasSpl4:!0},Genoa:{
productNames:["Genoa"],structVersion:0,hwidBytes:64,hasSpl4:!0},Turin:{productNames:["Turin"],structVersion:1,hwidBytes:8,
hasSpl4:!1}},qc=["bootloader","tee","snp","microcode","fmc"],ei=new Map([["bootloader",0],["tee",1],["snp",6],["microcod\
e",7]]),ed=new Map([["fmc",0],["bootloader",1],["tee",2],["snp",3],["microcode",7]]),dr={Milan:ei,Genoa:ei,Turin:ed};function ii(e,t,n){
let r=dr[t],o=new Set(r.values());if(e.some((i,s)=>i!==0&&!o.has(s)))throw y("report-format",`reserved TCB bytes of ${t}\
 are set`,n,f(e),"zero in every reserved byte");return new Map([...r].map(([i,s])=>[i,e[s]]))}function pe(e){return qc.filter(
t=>e.has(t)).map(t=>`${t} ${e.get(t)}`).join(" ")}var si=new Uint8Array(32),td=new Set(["67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b","c5e081f59b7efa\
b1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5","5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521","\
197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372","5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a47963\
6a6ae3b3185","104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c","89d2b724949e25b3be4d80833e49d3552f53989\
aead7ff9cea478db0bd8d796e","adf5c99499544532c3121d0cafdb9c21444f58e5fddd50ac5b2b70e17ca91ae6","d2ce5b774aa54575f583e79c5\
5e9df1d04d672144e94f287250148c5bb998d8f","7da0a28b79fde126a6f93a5f9b9809c9d148bc20166c34d74b85105e53cbd79b","206dc8424fb\
6414cd188b12a998c74d507f85c6497f3ddbd73664206d38ed440","8dd448649fb89094f1a3fc776d681c66f953583c4945a7bb75815482fe777132"]);
async function en({vek:e,chain:t,crl:n}){let r=Wt(e,t,n),{der:o,commonName:i,serial:s}=r.intermediate;if(td.has(f(await p(
"SHA-256",o))))return;let a=qt(r.vek.productName);return{certificate:o,digest:Z(o),name:`${i} ${s}`,line:a,crl:r.crl}}function ai(e){return Et(e).length===0}function Et(e){return/^[\x20-\x7e]*$/.test(e)?[]:[...new Set(e)].filter(t=>!rd(t.
codePointAt(0)))}function tn(e){let t=e.slice(0,nd).map(r=>`U+${r.codePointAt(0).toString(16).toUpperCase().padStart(4,"\
0")}`),n=e.length-t.length;return t.join(", ")+(n>0?` and ${n} more`:"")}var nd=4,xt;function rd(e){xt??=id.trim().split(
/\s+/).map(od);let[t,n]=[0,xt.length];for(;t<n;){let r=t+n>>1;xt[r][1]<e?t=r+1:n=r}return t<xt.length&&xt[t][0]<=e}function od(e){
let[t,n=t]=e.split("-").map(r=>Number.parseInt(r,16));return[t,n]}var id=`
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
`;var be="provenance",[ci,di,fi]=[4096,255,32],li="[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?",sd=new RegExp(`^${li}/${li}\
$`),ad=/^[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?$/;function hi(e,t){if(!e.includes("..")&&sd.test(e))return e;throw y(
"manifest-format","not a model name",t,e,"namespace/model in A-Z a-z 0-9 . _ -")}function gi(e,t){if(!e.includes("..")&&
ad.test(e))return e;throw y("manifest-format","not a version",t,e,"1 to 64 of A-Z a-z 0-9 . _ + -")}function rn(e,t,n,r=!1){
let o=e.split("/"),[i=""]=o,s=cd(e,o);if(!s&&nn(i)===be&&!(r&&i===be)&&(s=`lies in ${be}/`),!s)return e;throw y(t,`file \
name ${s}`,n,e,"a relative path, NFC, printable, no dot segments")}function cd(e,t){let n=Et(e);if(n.length>0)return`has\
 control, invisible or unknown characters: ${tn(n)}`;let r=o=>k(o).length;return e.normalize("NFC")!==e?"is not in Unico\
de form NFC":r(e)>ci?`is longer than ${ci} bytes`:t.some(o=>["",".",".."].includes(o))?"is empty or absolute, or has emp\
ty or dot segments":t.some(o=>r(o)>di)?`has a segment longer than ${di} bytes`:t.length>fi+1?`lies in more than ${fi} fo\
lders`:e.includes("\\")||/^[A-Za-z]:/.test(e)?"has a backslash or a drive letter":""}function on(e,t,n){let r=new Map;for(let o of e){
let i=o.split("/"),s=i.pop(),a=r;i.forEach((d,l)=>{let u=nn(d),[g,h]=a.get(u)??[d,new Map];if(g!==d||!h)throw ui(i.slice(
0,l+1),g,t,n);a.set(u,[g,h]),a=h});let c=a.get(nn(s));if(c)throw ui([...i,s],c[0],t,n);a.set(nn(s),[s,void 0])}}function ui(e,t,n,r){
let o=[...e.slice(0,-1),t].join("/");return y(n,"two file names collide",r,e.join("/"),`none that collides with ${o}`)}function nn(e){
return Array.from(e.normalize("NFD"),dd).join("").normalize("NFD")}function dd(e){return e==="\u0131"?e:e.toLowerCase().
toUpperCase().toLowerCase()}var We=`${be}/snp`,fd=`${be}/nvidia`,Ne=`${be}/cvm-key.pem`,qe=`${We}/report.bin`,[lr,mi]=[`${We}/vek.pem`,`${We}/vek.de\
r`],yi=`${We}/chain.pem`,ur=`${We}/ark.crl`,oe=`${be}/model.sig`,De=`${be}/publisher-key.pem`,we=1024,an=new Map([[O,[Ze,
"manifest-format"]],[Ne,[16*we,"key-binding"]],[qe,[8*we,"report-format"]],[lr,[64*we,"endorsements-format"]],[mi,[64*we,
"endorsements-format"]],[yi,[64*we,"endorsements-format"]],[ur,[1024*we,"endorsements-format"]],[oe,[64*1024*we,"publish\
er-signature"]],[De,[16*we,"publisher-signature"]]]),ld=64*we,sn=Array.from({length:16},(e,t)=>`${fd}/gpu-${t}.json`),ud=[
...an.keys(),...sn];function cn(e){for(let[a,c]of e)hd(a,c.length);let t=e.get(O);if(!t){let a="the manifest, written la\
st";throw new C("incomplete","no signed manifest yet","manifest-format",O,"no such file",a)}let n=gd(e),[r,o,i]=[Ne,qe,yi].
map(a=>fr(e,a)),s=e.has(ur)?fr(e,ur):void 0;return{envelope:t,key:r.data,report:o,vek:fr(e,n),chain:i,crl:s,gpus:md(e),provenance:e}}
function hd(e,t){if(!ud.includes(e)){let o=`only ${[...an.keys()].join(", ")}`;throw y("file-set","a release may not hol\
d this",e,"a file",o)}let[n,r]=an.get(e)??[ld,"gpu-evidence"];if(t>n)throw y(r,"the file is too large",e,`${t} bytes`,`a\
t most ${n} bytes`)}function fr(e,t){let n=e.get(t);if(n)return{where:t,data:n};let[,r]=an.get(t);throw y(r,"the file is\
 missing",t,"no such file","this file in every release")}function gd(e){let[t=lr,n]=[lr,mi].filter(i=>e.has(i));if(!n)return t;
let[r,o]=["the release has two VEK certificates","vek.pem and vek.der"];throw y("endorsements-format",r,We,o,"one of the\
m")}function md(e){let t=sn.filter(o=>e.has(o)),n=t.findIndex((o,i)=>o!==sn[i]);if(n<0)return new Map(t.map(o=>[o,e.get(
o)]));let r=`this file, as there is ${t.at(-1)}`;throw y("gpu-evidence","the evidence of a GPU is missing",sn[n],"no suc\
h file",r)}var hr=1184,yd=672,gr=48,mr=4294967295,yr=0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
pd=(1n<<26n)-1n,bd=1n<<17n;function St(e,t){let n=(h,b,$,K)=>{if(!h)throw y("report-format",b,t,$,K)};n(e.length===hr,"w\
rong report size",`${e.length} bytes`,`${hr} bytes`);let r=new DataView(e.buffer,e.byteOffset,e.length),o=h=>r.getUint32(
h,!0),i=h=>r.getBigUint64(h,!0),s=o(0);n(s>=2&&s<=5,"unsupported report version",`${s}`,"2, 3, 4 or 5"),n(o(52)===1,"uns\
upported signature_algo",`${o(52)}`,"1 (ECDSA P-384)");let a=o(72);n(a>>>5===0,"reserved bits of key_info are set",`${a}`,
"bits 5 to 31 zero"),n((a&2)===0,"mask_chip_key is set","1 (the report is not signed)","0"),n(a>>>2<=1,"unsupported sign\
ing_key",`${a>>>2}`,"0 (VCEK) or 1 (VLEK)");for(let[h,b]of wd(s))n(J(e.subarray(h,b)),`reserved bytes ${h} to ${b} are s\
et`,"not zero","zero");let c=i(8);n((c&~pd)===0n,"reserved bits of policy are set",et(c),"bits 26 to 63 zero"),n((c&bd)!==
0n,"reserved bit 17 of policy is not set","0","1");let d=o(48);n(d<=3||d===mr,"unknown vmpl",`${d}`,"0 to 3");let[l,u]=[
672,744].map(h=>e.subarray(h,h+gr));for(let h of[l,u].map(je))n(h>0n&&h<yr,"invalid signature","a component out of range",
"0 < r, s < order of P-384");let g=h=>`${e[h+2]}.${e[h+1]}.${e[h]}`;return{version:s,guestSvn:o(4),policy:c,familyId:e.subarray(
16,32),imageId:e.subarray(32,48),vmpl:d,platformInfo:i(64),signingKey:a>>>2?"VLEK":"VCEK",reportData:e.subarray(80,144),
measurement:e.subarray(144,192),hostData:e.subarray(192,224),idKeyDigest:e.subarray(224,272),authorKeyDigest:e.subarray(
272,320),reportId:e.subarray(320,352),reportIdMa:e.subarray(352,384),cpuid:s===2?void 0:{family:e[392],model:e[393],stepping:e[394]},
chipId:e.subarray(416,480),currentTcb:e.subarray(56,64),reportedTcb:e.subarray(384,392),committedTcb:e.subarray(480,488),
launchTcb:e.subarray(496,504),currentFirmware:g(488),committedFirmware:g(492),launchMitVector:s>=5?i(504):void 0,currentMitVector:s>=
5?i(512):void 0,signatureR:l,signatureS:u,signed:e.subarray(0,yd),where:t}}function wd(e){return[[76,80],[e===2?392:395,
416],[491,492],[495,496],[e>=5?520:504,672],[672+gr,744],[744+gr,hr]]}function et(e){return`0x${e.toString(16)}`}var pi=[["sha256-spki","SHA-256"],["sha384-spki","SHA-384"]],xd=64,Ed=64,Sd=96,bi='"predicateType":"https://slsa.dev/pro\
venance/v1","subject":[',pr=/\{"annotations":\{"size":(?:0|[1-9][0-9]{0,15})\},"digest":\{"fsverity_sha256_4096":"[0-9a-f]{64}"(?:,"sha256":"[0-9a-f]{64}")?\},"name":"([ !#-[\]-~]+)"\}/y,
Ad=200,br=new Uint8Array(0),xi="the RFC 8785 form that `provenance pack` writes";async function Ei(e){let t=Yt(e.envelope),
n=Vt(e.key,Ne),r=St(e.report.data,qe);await vd(r.reportData,n);let{payload:o}=t,[i,s]=Cd(o,await p("SHA-256",r.signed)),
a=mt(e.vek.data,e.vek.where),[c]=a;if(!c||a.length!==1){let h=`${a.length}`;throw y("endorsements-format","wrong number \
of certificates",e.vek.where,h,"one, the VCEK or VLEK")}let d=await en(e),l=kd(n,t.signature),u={vekKey:br,vekFacts:0n,vekChip:new Uint8Array(
32)},g={internalAt:i,subjectsAt:s,intermediate:d?.digest??si};return{report:e.report.data,vek:c,...u,key:n.spki,signature:l,
payload:o,...g}}function Si(e){let{key:t,facts:n,chip:r}=Bd(e.report,e.vek);return{...e,vek:br,vekKey:t,vekFacts:n,vekChip:r}}
function Bd(e,t){let{certificate:n,kind:r,productName:o,hwid:i}=ar(Oe(t,"vek")),s=qt(o),[a,c]=[n.notBefore,n.notAfter].map(
h=>BigInt(Math.max(0,h))),d=je(St(e,qe).reportedTcb),l=r==="VCEK"?0n:1n,u=d|a<<64n|c<<104n|BigInt(s)<<144n|l<<152n,g=A(i??
br,new Uint8Array(Ed-(i?.length??0)));return{facts:u,chip:Z(g),key:n.spki.slice(-Sd)}}async function vd(e,t){for(let[,r]of pi){
let o=new Uint8Array(xd);if(o.set(await p(r,t.spki)),m(e,o))return}let n=pi.map(([r])=>r).join(" or ");throw _("key-bind\
ing","the chain cannot read how the report binds the VM's key",qe,"another one",n)}function kd(e,t){if(e.algorithm==="Ed\
25519")throw _("key-binding","the chain does not know the algorithm of the VM's key",Ne,e.algorithm,"ECDSA on P-256 or P\
-384; `provenance attest --new-key` makes one");let n=gt(t,e.algorithm==="ECDSA P-256"?32:48);if(n)return n;throw _("man\
ifest-signature","the signature is not one of ECDSA",O,`${t.length} bytes`,"DER")}function Cd(e,t){let n=X(e);return[Td(
n,f(t)),Id(n,e)]}function Td(e,t){let n='(?:"publisher":\\{"identity":"[^"\\\\\\x00-\\x1f]*"\\},)?',r=e.search(new RegExp(
`"internalParameters":\\{${n}"snpReport":\\{"sha256":"${t}"\\}\\}`));if(r>=0)return r;throw _("manifest-format","the cha\
in does not see that the manifest names this report",O,"no such member",xi)}function Id(e,t){let n=e.lastIndexOf(bi);if(n<
0)throw _("manifest-format","the chain does not see the list of files at the end of the manifest",O,"another form",xi);let[
r,o]=[n+bi.length,""];for(;;){pr.lastIndex=r;let s=pr.exec(e)?.[1];if(s===void 0)break;if(s<=o)throw wi(`${s} after ${o}`,
"paths in ascending order of their bytes");if([r,o]=[pr.lastIndex,s],e.slice(r)==="]}")return n;if(e[r]!==",")break;r+=1}
let i=new TextDecoder().decode(t.subarray(r,r+Ad));throw wi(i,"printable ASCII in names, without quotation mark and back\
slash, and an fs-verity digest")}function wi(e,t){return _("manifest-format","the chain cannot read a file of the manife\
st",O,e,t)}var fe=4096,tt=32,wr=4*1024*1024,Ai=256;function ki(e){let t=async(n,r)=>new Uint8Array(await e.slice(n,r).arrayBuffer());
return{size:e.size,read:t}}async function Ci(e,t=()=>{}){let n=new Uint8Array(tt*Math.ceil(e.size/fe)),r=Bi(e,0);for(let o=0;o<
e.size;o+=wr){let i=await r;r=Bi(e,o+wr),r.catch(()=>{}),n.set(await vi(i),o/fe*tt),t(i.length)}for(;n.length>tt;)n=await vi(
n);return Pd(e.size,n.length?n:new Uint8Array(tt))}async function Bi(e,t){let n=Math.min(t+wr,e.size);if(t>=n)return new Uint8Array;
let r=await e.read(t,n);if(r.length===n-t)return r;throw y("file-set","the file changed while it was read","file",`${r.length}\
 bytes`,`${n-t}`)}async function vi(e){let t=new Uint8Array(tt*Math.ceil(e.length/fe));for(let n=0;n<e.length;n+=Ai*fe){
let r=Math.min(n+Ai*fe,e.length),o=[];for(let i=n;i<r;i+=fe)o.push(p("SHA-256",Rd(e,i)));t.set(A(...await Promise.all(o)),
n/fe*tt)}return t}function Rd(e,t){let n=e.subarray(t,t+fe);if(n.length===fe)return n;let r=new Uint8Array(fe);return r.
set(n),r}async function Pd(e,t){let n=new Uint8Array(256);return n.set([1,1,12,0]),new DataView(n.buffer).setBigUint64(8,
BigInt(e),!0),n.set(t,16),p("SHA-256",n)}async function At(e){if(new Set(e.map(({path:o})=>o)).size!==e.length||e.some(({
path:o})=>o.includes(`
`)))throw y("file-set","a path has a newline or occurs twice","model digest","","");let r=[...e].sort((o,i)=>me(o.path,i.
path)).map(({fsverity:o,size:i,path:s})=>`${f(o)} ${i} ${s}
`);return p("SHA-256",k([`provenance-model-v1
`,...r].join("")))}var dn=64,Ti=Nd(64),Od=Uint32Array.from(Ti,e=>Math.cbrt(e)%1*2**32),$d=Uint32Array.from(Ti.slice(0,8),e=>Math.sqrt(e)%1*
2**32),fn=class{#e=$d.slice();#n=new Uint32Array(64);#t=new Uint8Array;#r=0;update(t){this.#r+=t.length;let n=this.#t.length?
A(this.#t,t):t,r=n.length-n.length%dn,o=new DataView(n.buffer,n.byteOffset,n.length);for(let i=0;i<r;i+=dn)this.#i(o,i);
this.#t=n.slice(r)}digest(){let t=this.#r,n=new Uint8Array(dn-(t+8)%dn+8);n[0]=128,new DataView(n.buffer).setBigUint64(n.
length-8,BigInt(t)*8n),this.update(n);let r=new DataView(new ArrayBuffer(32));return this.#e.forEach((o,i)=>r.setUint32(
4*i,o)),new Uint8Array(r.buffer)}#i(t,n){let r=this.#n;for(let h=0;h<16;h++)r[h]=t.getUint32(n+4*h);for(let h=16;h<64;h++){
let[b,$]=[r[h-15],r[h-2]],K=le(b,7)^le(b,18)^b>>>3,L=le($,17)^le($,19)^$>>>10;r[h]=r[h-16]+K+r[h-7]+L}let o=this.#e,[i,s,
a,c,d,l,u,g]=o;for(let h=0;h<64;h++){let b=g+(le(d,6)^le(d,11)^le(d,25))+(d&l^~d&u)+Od[h]+r[h]|0,$=(le(i,2)^le(i,13)^le(
i,22))+(i&s^i&a^s&a)|0;[g,u,l,d,c,a,s,i]=[u,l,d,c+b|0,a,s,i,b+$|0]}[i,s,a,c,d,l,u,g].forEach((h,b)=>{o[b]=o[b]+h})}};function le(e,t){
return e>>>t|e<<32-t}function Nd(e){let t=[];for(let n=2;t.length<e;n++)t.every(r=>n%r!==0)&&t.push(n);return t}async function Dd({path:e,file:t,withSha256:n},r){let o=n?new fn:void 0,i=ki(t),s=await Ci(o?Md(i,o):i,r);return{path:e,
size:BigInt(t.size),fsverity:s,sha256:o?.digest()}}function Md(e,t){let n=Promise.resolve(),r=(o,i)=>{let s=n.then(()=>e.
read(o,i));return n=s.then(a=>t.update(a),()=>{}),s};return{size:e.size,read:r}}async function Ii(e,t,n){let r=[];for(let[
o,i]of e.entries())r.push(await(n?_d(n,{id:o,...i},t):Dd(i,t)));return r}function _d(e,t,n){return new Promise((r,o)=>{e.
onerror=()=>o(new Error("the worker that hashes files failed")),e.onmessage=({data:i})=>{i.id===t.id&&(i.kind==="bytes"?
n(i.count):i.kind==="digest"?r(i.digest):o(new Error(i.why)))},e.postMessage(t)})}var Fd=64,Ud=[["sha256-spki","SHA-256"],["sha384-spki","SHA-384"],["sha512-spki","SHA-512"]];async function Ri(e,t){let n=[];
for(let[o,i]of Ud){let s=new Uint8Array(Fd);if(s.set(await p(i,t.spki)),m(e,s))return o;n.push(`${f(s)} (${o})`)}let r=J(
e)?"64 zero bytes":f(e);throw x("key-binding","the report does not name this key","report_data",r,n.join(" or "))}function nt(e){return`${new Date(Math.floor(e)*1e3).toISOString().slice(0,19)}Z`}function Pi(e){let t=/^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?Z$/.
exec(e);if(!t||e.startsWith("0000"))return;let[,n,r,o=""]=t,i=Date.parse(`${n}T${r}Z`);return!Number.isNaN(i)&&new Date(
i).toISOString()===`${n}T${r}.000Z`?i/1e3+ +`0${o}`:void 0}async function Oi(e,t,n){let{intermediate:r,ark:o,crl:i}=e,{certificate:s,kind:a}=e.vek,{line:c,kind:d}=await Hd(o,t);Xt(
o,`ARK-${c}`),await tr(o,o,Vo),Xt(r,a==="VCEK"?`SEV-${c}`:`SEV-VLEK-${c}`),await tr(r,o,jo),xr(o,n),xr(r,n);let l=await Kd(
r,o,i,n);if(Xt(s,`SEV-${a}`),await rr(s,r),!("curve"in s.key)||s.key.curve!=="P-384")throw ne(s,"wrong kind of key","ano\
ther key","elliptic curve P-384");return xr(s,n),{line:c,rootKind:d,endorsements:e,at:n,revocation:l}}async function Hd(e,t){
let n=f(await p("SHA-256",e.der)),r=t.find(({arkSha256:i})=>i===n);if(r)return r;let o=[...new Set(t.map(({kind:i})=>i))].
sort().join(", ");throw ne(e,"root is not trusted",`${e.commonName} ${n}`,`a pinned root (${o})`)}async function Kd(e,t,n,r){
if(!n)return"unavailable";let o="vek-revocation";if(!m(n.issuer,t.subject))throw x(o,"wrong issuer of the CRL",n.where,"\
another name",t.commonName);if(!m(n.authorityKeyId,nr(t)))throw x(o,"wrong authority key id of the CRL",n.where,"another\
 key",t.commonName);if(await or(n.signed,t,o,n.where,"the CRL"),n.revokedSerials.has(e.serial)){let i=`${e.commonName} i\
s revoked`,s=`serial ${e.serial} in CRL no. ${n.number}`;throw x(o,i,e.where,s,"a certificate that AMD has not revoked")}
return zo(n,r)?"not revoked":"stale"}function xr(e,t){let{notBefore:n,notAfter:r,commonName:o,where:i}=e;if(n<=t&&t<=r)return;
let s=`${nt(n)} to ${nt(r)}`;throw x("vek-validity",`${o} is not valid at this time`,i,nt(t),s)}function $i(e,t){let{vek:n}=e.endorsements;if(Ld(e.line,n,t),t.signingKey!==n.kind)throw hn(n,"signing key",t.signingKey,
n.kind);let r=un(t,"reportedTcb",e.line),o=[...dr[e.line].keys()];if(!o.every(s=>n.tcb.get(s)===r.get(s))||n.tcb.size!==
o.length)throw hn(n,"reported TCB",pe(r),pe(n.tcb));return{chain:e,report:t,reportedTcb:r,isChipIdMasked:Vd(n,t)}}async function Ni(e){
let{report:t,chain:n}=e,{vek:r}=n.endorsements,o=A(Pt(t.signatureR),Pt(t.signatureS));if(!await ut(r.certificate.spki,"P\
-384",o,t.signed,"SHA-384")){let i=`an ECDSA P-384 signature by the ${r.kind}`;throw x("report-signature","the report's \
signature does not verify",t.where,"another key or other bytes",i)}return{report:t,line:n.line,rootKind:n.rootKind,cpuid:t.
cpuid,currentTcb:un(t,"currentTcb",n.line),reportedTcb:e.reportedTcb,committedTcb:un(t,"committedTcb",n.line),launchTcb:un(
t,"launchTcb",n.line),vekKind:r.kind,cspId:r.cspId,chipId:e.isChipIdMasked||r.kind==="VLEK"?void 0:t.chipId,at:n.at,revocation:n.
revocation}}function un(e,t,n){return ii(e[t],n,`${e.where}: ${t.replace("Tcb","_tcb")}`)}function Ld(e,t,n){let r=oi[e],
{productName:o,structVersion:i,hwid:s}=t;if(!r.productNames.includes(o))throw ln(t,"productName",o,r.productNames.join("\
 or "));if(i!==r.structVersion)throw ln(t,"structVersion",`${i}`,`${r.structVersion}`);if(s&&s.length!==r.hwidBytes)throw ln(
t,"hwID",`${s.length} bytes`,`${r.hwidBytes} bytes`);let a=ye(t.certificate,Qt)!==void 0;if(a!==r.hasSpl4)throw ln(t,"ex\
tension .3.4",`present: ${a}`,`present: ${r.hasSpl4}`);if(n.cpuid&&cr(n.cpuid)!==e){let c="the processor belongs to anot\
her product line",d=`CPUID ${ri(n.cpuid)}`;throw x("product-line",c,n.where,d,`a processor of ${e}`)}}function Vd(e,t){let n=J(
t.chipId);if(e.kind==="VLEK"){if(n)return!1;throw hn(e,"chip id",f(t.chipId),"zero, as a VLEK names no chip")}let r=new Uint8Array(
t.chipId.length);if(r.set(e.hwid??[]),!n&&!m(t.chipId,r))throw hn(e,"chip id",f(t.chipId),`the certificate's ${f(r)}`);return n}
function hn(e,t,n,r){let o=`the report does not match the ${e.kind} (${t})`;return x("vek-match",o,e.certificate.where,n,
r)}function ln(e,t,n,r){let o=`the certificate belongs to another product line (${t})`;return x("product-line",o,e.certificate.
where,n,r)}var T=class extends Error{static name="BeyondThisPage";name="BeyondThisPage"};async function rt(e,t){let{payload:n,signature:r}=e.
envelope;if(await W(t,r,$e(te,n)))return;let o=`${r.length} bytes that this key did not make over this payload`;throw S(
e.where,"the signature does not verify",o,`${t.algorithm} by the signer's key`)}function Er(e,t,n){let r=t??e.lines[0];if(r!==
void 0&&e.lines.includes(r))return r;throw _("publisher-identity","the signature is genuine, and its signer is not the o\
ne expected",n,e.lines.join(" or ")||"a signer without a name",t??"a signer with a name")}function S(e,t,n,r){return x("\
publisher-signature",t,e,n,r)}var Sr=10,jd=new Set(["provenance/cvm-key.pem","provenance/model.sig","provenance/publisher-key.pem","provenance/snp/rep\
ort.bin","provenance/snp/vek.pem","provenance/snp/vek.der","provenance/snp/chain.pem","provenance/snp/ark.crl",".gitattr\
ibutes",".gitignore"]),Gd=/\.(bash|bat|bin|c|cc|ckpt|cmd|cpp|cu|dill|dll|dylib|exe|h5|ipynb|jar|joblib|js|keras|lua|mjs|php|pickle|pkl|pl|ps1|pt|pt2|pth|py|pyc|pyd|pyx|rb|sh|so|so\.[0-9.]+|ts|wasm|whl)$/i;
function Br(e,t){let n={covered:[],allowed:[],gaps:[]};for(let[r,o]of t){let i=e.inShards&&o===0n&&!Gd.test(r.slice(r.lastIndexOf(
"/")+1)),s=e.paths.has(r)?"covered":jd.has(r)||i?"allowed":"gaps";n[s].push(r)}return n}function Bt({covered:e,allowed:t,
gaps:n}){return`${e.length} of ${e.length+t.length+n.length} files`}function vr(e,t){if(e.gaps.length)throw _("publisher\
-signature","the signature is genuine, and does not cover every file",t,`${Bt(e)}; not covered: ${Cr(e.gaps)}`,"every fi\
le of the model")}function kr(e,t){let n=[...e.paths].filter(r=>!t.has(r));if(n.length)throw Ar("a signed file is missin\
g",`missing: ${Cr(n)}`,"every signed file");for(let[r,o]of Mi(e)){let i=o.at(-1).end,s=t.get(r);if(i!==null&&i!==s)throw Ar(
"a signed file has another size",`${r}: ${s}`,`${i} bytes`)}}async function Di(e,t){let n=[];for(let[r,o]of Mi(e)){let i=t.
get(r);if(i){if(e.algorithm!=="sha256")throw new T(`browsers have no ${e.algorithm}`);for(let{digest:s,start:a,end:c}of o){
let d=i.subarray(Number(a),c===null?void 0:Number(c));m(await p("SHA-256",d),s)||n.push(r)}}}if(n.length)throw _i(n)}function vt(e){
let t=e.algorithm==="sha256"&&!e.inShards;return new Map(t?e.parts.map(({path:n,digest:r})=>[n,r]):[])}function gn(e,t){
let n=vt(e),r=t.filter(({path:o,sha256:i})=>{let s=n.get(o);return s&&!(i&&m(i,s))});if(r.length)throw _i(r.map(({path:o})=>o))}
function Mi(e){let t=new Map;for(let n of e.parts)t.set(n.path,[...t.get(n.path)??[],n]);for(let n of t.values())n.sort(
(r,o)=>Number(r.start-o.start));return t}function Cr(e){let t=e.length>Sr?` and ${e.length-Sr} more`:"";return e.slice(0,
Sr).join(", ")+t}function _i(e){let t=`different: ${Cr([...new Set(e)].sort(me))}`;return Ar("files are not those that w\
ere signed",t,"files with the digests in the signature")}function Ar(e,t,n){return S("model",e,t,n)}var mn=32,Hi=3,Ki=20,Yd="11e001ff",zd="116000",Fi=7,Tr=48,Jd=1,Xd=3,Ui=1024;function Li(e,t){let n=new Ir(e,t);n.constant(
Yd,"not an SPDM 1.1 request for all measurements, signed");let r=n.take(mn,"the request's nonce"),o=n.number(1,"the requ\
est's slot");n.expect(o<=Fi,"unknown slot",`${o}`,`0 to ${Fi}`),n.constant(zd,"not an SPDM 1.1 response with measurement\
s");let i=n.number(1,"the response's slot");n.expect(i===o,"the response is of another slot",`${i}`,`${o}`);let s=n.number(
1,"the number of measurements"),a=n.part(n.number(3,"the length of the measurements"),"the measurements");Zd(a,s),n.take(
mn,"the response's nonce");let c=n.number(2,"the length of NVIDIA's fields");n.expect(c<=Ui,"too many fields",`${c} byte\
s`,`at most ${Ui}`);let d=Qd(n.part(c,"NVIDIA's fields")),l=e.subarray(0,n.position),u=n.take(2*Tr,"the signature"),h=[0,
Tr].map(L=>v(u.subarray(L,L+Tr))).every(L=>0n<L&&L<yr);n.expect(h,"invalid signature","a component out of range","0 < r,\
 s < order of P-384");let b=e.subarray(n.position),$=b.length===1&&b[0]===0;return n.expect(b.length===0||$,"bytes after\
 the signature",`${b.length} bytes`,"none, or one zero byte"),{nonce:r,count:s,opaque:d,signed:l,signature:u}}function Zd(e,t){
e.expect(t>0,"no measurements","0","one or more");let n=0;for(let r=0;r<t;r++){let o=e.number(1,"the index of a measurem\
ent"),i=n<o&&o<255;e.expect(i,"measurements out of order",`${o} after ${n}`,"rising, 1 to 254"),n=o;let s=e.number(1,"th\
e specification of a measurement"),a=s===Jd;e.expect(a,"unknown measurement specification",`${s}`,"1 (DMTF)");let c=e.number(
2,"the size of a measurement");e.number(1,"the type of a measurement");let d=e.number(2,"the size of a measurement's val\
ue"),l=c===Xd+d;e.expect(l,"conflicting sizes of a measurement",`${c} and ${d}`,"the first 3 larger"),e.take(d,"the valu\
e of a measurement")}e.finish("bytes after the last measurement")}function Qd(e){let t=new Map;for(;!e.isAtEnd;){let n=e.
number(2,"the type of a field");e.expect(!t.has(n),"a field occurs twice",`type ${n}`,"each type once"),t.set(n,e.take(e.
number(2,"the size of a field"),`the field of type ${n}`))}return t}var Ir=class e{constructor(t,n){this.data=t;this.where=
n}data;where;position=0;get isAtEnd(){return this.position===this.data.length}take(t,n){let r=this.data.subarray(this.position,
this.position+t);return this.expect(r.length===t,`${n}: cut short`,`${r.length} bytes`,`${t} bytes`),this.position+=t,r}number(t,n){
return this.take(t,n).reduceRight((r,o)=>256*r+o,0)}part(t,n){return new e(this.take(t,n),this.where)}constant(t,n){let r=f(
this.take(t.length/2,"the head of a message"));this.expect(r===t,n,r,t)}finish(t){this.expect(this.isAtEnd,t,`${this.data.
length-this.position} bytes`,"none")}expect(t,n,r,o){if(!t)throw y("gpu-evidence",n,this.where,r,o)}};var ve="gpu-evidence",Wd=65536,Pr=new Map([["HOPPER","GH"],["BLACKWELL","GB"]]),Rr=5,ji="102bf659d5419614c9d8e6aecebc804\
54eb26b1df6a769ac720b9a690b167b48",qd="300a06082a8648ce3d040303",ef="0609608648016503040202",tf=48,[Gi,Yi]=["2.5.29.14",
"2.5.29.35"],[yn,Or]=["2.5.29.15","2.5.29.19"],zi=["2.23.133.5.4.1","2.23.133.5.4.1.1"],nf=[Gi,Yi,yn,Or,...zi,"2.5.29.17",
"2.5.29.31","1.3.6.1.5.5.7.1.1"],Vi="30030101ff",rf=["03020780"],of=["03020204","03020106"],sf="made for this key; not p\
roved to be attached to this VM";async function Ji(e,t,n,r,o=ji){let i=f(await p("SHA-256",t.spki)),s=[];for(let[c,d]of e){
let l=await af(d,c,n,o);if(l.nonce!==i){let g=`${i}, SHA-256 of the key`;throw Me(c,"the evidence was not made for this \
key",l.nonce,g)}let u=s.find(({device:g})=>g===l.device);if(u)throw Me(c,"one GPU made two files of evidence",`the GPU o\
f ${u.where}`,"each GPU once");s.push(l)}return r.passed(ve,`genuine ${hf(s)}, ${sf}`,"NVIDIA's device root, the GPU's s\
ignature, and SHA-256 of the VM's key as nonce"),s}async function af(e,t,n,r=ji){let o=cf(e,t),i=Li(o.messages,t),[s,a]=await df(
o.chain,t,n,r),c=uf(s),d=a.commonName;if(!d.startsWith(Pr.get(o.arch)))throw Me(t,"the GPU is of another architecture",d,
`a chip of ${o.arch}`);if(!await ut(s.spki,"P-384",i.signature,i.signed,"SHA-384"))throw Me(t,"the signature does not ve\
rify","another key or other bytes","an ECDSA P-384 signature by the GPU's key");let l=f(i.opaque.get(Ki)??new Uint8Array);
if(!c.includes(l))throw Me(t,"the certificate is for other firmware",l||"no firmware id",c.join(" or "));let u=f(i.nonce);
if(f(o.nonce)!==u)throw Me(t,"the nonce is not that of the evidence",f(o.nonce),u);let g=f(await p("SHA-256",a.spki));return{
chip:d,device:g,driver:gf(i),nonce:u,where:t}}function cf(e,t){let n=D(e,{where:t,check:ve,maxBytes:Wd,maxDepth:2,maxTokens:64}),
r=new P(n,t,ve),o=r.text("arch",32);if(!Pr.has(o))throw r.error("arch","unknown architecture",o,[...Pr.keys()].join(" or\
 "));let i=r.base64Bytes("evidence",8192),s=r.base64Bytes("certificate",16384),a=r.hexBytes("nonce",mn);return r.finish(),
{arch:o,messages:i,chain:s,nonce:a}}async function df(e,t,n,r){let o=Ce(ve,()=>yt(e,"CERTIFICATE",t,Rr)),i=Ce(ve,()=>o.map(
c=>Oe(c,t))),s=i.at(-1);if(!s||i.length!==Rr){let c=`${Rr}, from the GPU's to NVIDIA's root`;throw y(ve,"wrong number of\
 certificates",t,`${i.length}`,c)}let a=f(await p("SHA-256",s.der));if(a!==r)throw z(s,"root is not trusted",a,"NVIDIA D\
evice Identity CA");for(let[c,d]of i.entries())if(ff(d,c===0),await lf(d,i[c+1]??s),n<d.notBefore||n>d.notAfter)throw z(
d,"not valid at this time",`${n}`,`${d.notBefore} to ${d.notAfter}`);return Xi(i[0]),[i[0],i[1]]}function ff(e,t){let{extensions:n}=e,
r=n.filter(({oid:c})=>!nf.includes(c)).map(({oid:c})=>c);if(r.length)throw z(e,"unknown extensions",r.join(", "),"those \
of NVIDIA's certificates");let o=n.filter(c=>c.critical).map(({oid:c})=>c).sort().join(", ");if(o!==(t?[yn]:[yn,Or]).join(
", "))throw z(e,"wrong critical extensions",o,"key usage, and basic constraints of an authority");let[i,s]=[Or,yn].map(c=>Qi(
ye(e,c)));if(i!==(t?"none":Vi))throw z(e,"wrong basic constraints",i,t?"none":Vi);let a=t?rf:of;if(!a.includes(s))throw z(
e,"wrong key usage",s,a.join(" or "))}async function lf(e,t){let{signed:n}=e;if(!m(e.issuer,t.subject))throw z(e,"wrong \
issuer","another name",t.commonName);let r=f(ye(t,Gi)??new Uint8Array).slice(2);if(Qi(ye(e,Yi))!==`301680${r}`)throw z(e,
"wrong authority key id","another key's",`that of ${t.commonName}`);let o=f(n.algorithm);if(o!==qd)throw z(e,"wrong sign\
ature algorithm",o,"ecdsa-with-SHA384");let i={spki:t.spki,algorithm:`ECDSA ${Xi(t)}`};if(!await W(i,n.signature,n.tbs,"\
SHA-384"))throw z(e,"invalid signature","does not verify",`a signature by ${t.commonName}`)}function Xi(e){let{key:t}=e;
if("curve"in t&&t.curve==="P-384")return t.curve;throw z(e,"wrong kind of key","another key","elliptic curve P-384")}function uf(e){
let t=zi.flatMap(i=>ye(e,i)??[]),[n]=t;if(!n||t.length!==1)throw z(e,"wrong number of firmware id extensions",`${t.length}`,
"one");let r=B(n,(i,s,a)=>y(ve,`${i} in the firmware id`,e.where,s,a)),o=Zi(r).filter(([i,{content:s}])=>f(i.encoding)===
ef&&s.length===tf&&!J(s));if(o.length)return o.map(([,{content:i}])=>f(i));throw z(e,"no firmware id","none","one or mor\
e SHA-384 digests")}function Zi({tag:e,children:t}){let[n,r]=t,o=t.length===2&&n.tag===M&&r.tag===U;return[...e===w&&o?[
[n,r]]:[],...t.flatMap(Zi)]}function hf(e){let t=e.map(({chip:r,driver:o})=>`${r}, driver ${o||"not told"}`),n=[...new Set(
t)].map(r=>{let o=t.filter(i=>i===r).length;return o>1?`${o} x ${r}`:r});return`GPU${e.length>1?"s":""} (${n.join("; ")}\
)`}function gf(e){return X(e.opaque.get(Hi)??new Uint8Array).replace(/\0+$/,"")}function Qi(e){return e?f(e):"none"}function z(e,t,n,r){
return Me(e.where,`${t} (${e.commonName||"unnamed"})`,n,r)}function Me(e,t,n,r){return x(ve,t,e,n,r)}var mf="https://in-toto.io/Statement/v1",yf="https://slsa.dev/provenance/v1",pf="tag:provenance-oracle,2026:cvm-fine-tun\
e/v1",bf="tag:provenance-oracle,2026:sev-snp-cvm/v1",$r="fsverity_sha256_4096",wn="sha256",pn="manifest-format",[wf,xf,_e,
es,Ef]=[1e5,1e4,65536,2048,64],Wi=["base-model","adapter","dataset","code","image"],Sf=new Map([[wn,32],[$r,32],["proven\
ance_model_v1",32],["provenance_manifest_v1",32],["provenance_dataset_v1",32],["sha384",48],["sha512",64]]);async function ts(e,t=O){
let n=D(e,{where:t,check:pn,maxBytes:Ze}),r=new P(n,t,pn);r.constant("_type",mf),r.constant("predicateType",yf);let o=r.
fieldsList("subject",1,wf).map(Af),i=o.map(({path:d})=>d);on(i,pn,t);let s=r.fields("predicate");r.finish();let a=s.fields(
"buildDefinition"),c=s.fields("runDetails");return s.finish(),{files:o,...Bf(a),...If(c),digest:await p("SHA-256",e)}}function ns(e,t,n=O){
let{reportDigest:r}=e;if(!r||m(r,t))return;throw x("key-binding","the report is not the one that the manifest names",n,f(
t),f(r))}function Af(e){let t=rn(e.text("name",4096),pn,e.where("name")),n=e.fields("digest"),r=n.optionalHexBytes($r,32),
o=n.optionalHexBytes(wn,32);if(!r&&!o)throw n.error("","no digest","neither",`${$r} or ${wn}`);n.finish();let i=e.fields(
"annotations"),s=i.integer("size");return i.passOverRest(_e),e.finish(),{path:t,size:s,fsverity:r,sha256:o}}function Bf(e){
e.constant("buildType",pf);let t=e.fields("externalParameters"),n=hi(t.text("name"),t.where("name")),r=gi(t.text("versio\
n"),t.where("version"));t.passOverRest(_e);let o=vf(e.optionalFields("internalParameters")),i="resolvedDependencies",s=e.
has(i)?e.fieldsList(i,0,xf):[];return e.finish(),{name:n,version:r,dependencies:s.map(kf),...o}}function vf(e){let t=e?.
optionalFields("snpReport"),n=e?.optionalFields("publisher");e?.passOverRest(_e);let r=t?.hexBytes(wn,32);if(t?.finish(),
!n)return{reportDigest:r,publisher:""};let o=rs(n,"identity",n.text("identity",es));if(!o)throw n.error("identity","name\
s nobody","an empty line","the line of an identity");return n.finish(),{reportDigest:r,publisher:o}}function kf(e){let[t,
n]=[bn(e,"name"),bn(e,"uri")];if(!t&&!n)throw e.error("","a dependency without name and uri","neither","name or uri");let r=Cf(
e.fields("digest")),o=e.fields("annotations"),i=o.text("role"),s=Wi.find(c=>c===i);if(!s)throw o.error("role","unknown r\
ole",i,`one of ${Wi.join(", ")}`);let a=bn(o,"relation");return o.passOverRest(_e),e.passOver(["downloadLocation","media\
Type"],_e),e.finish(),{role:s,name:t,uri:n,digests:r,relation:a}}function Cf(e){let{keys:t}=e;if(t.length===0)throw e.error(
"","no digest","an empty object","one digest or more");return new Map(t.map(n=>[n,Tf(e,n)]))}function Tf(e,t){if(!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.
test(t))throw e.error("","not the name of a digest",t,"ASCII letters, digits and _");let n=e.text(t,2*Ef),r=I(n),o=Sf.get(
t);if(r?.length&&r.length===(o??r.length))return r;throw e.error(t,"not a digest",n,o?`${2*o} lower-case hex digits`:"lo\
wer-case hex")}function If(e){let t=e.fields("builder");t.constant("id",bf),t.passOver(["version","builderDependencies"],
_e),t.finish(),e.passOver(["byproducts"],_e);let n=e.optionalFields("metadata");if(e.finish(),!n)return{invocationId:"",
startedAt:void 0,finishedAt:void 0};let r=bn(n,"invocationId"),[o,i]=[qi(n,"startedOn"),qi(n,"finishedOn")];if(n.finish(),
o!==void 0&&i!==void 0&&i<o)throw n.error("finishedOn","ends before it starts",`${i}`,`${o} or later`);return{invocationId:r,
startedAt:o,finishedAt:i}}function bn(e,t){return rs(e,t,e.optionalText(t,es)??"")}function rs(e,t,n){let r=Et(n);if(r.length===
0)return n;let o=`unprintable characters: ${tn(r)}`;throw e.error(t,o,n,"one line without control and invisible characte\
rs")}function qi(e,t){let n=e.optionalText(t),r=n===void 0?void 0:Pi(n);if(n===void 0||r!==void 0)return r;throw e.error(
t,"not a moment",n,"RFC 3339 in UTC, as 2026-11-20T10:00:00Z")}function os(e,t,n){let r=new Map(e.files.map(i=>[i.path,i]));for(let i of t){let s=r.get(i.path),a="a file of the manife\
st",c="a path that the manifest does not name";if(!s)throw x("file-set","not a file of this release",i.path,c,a);Rf(s,i)}
let o=new Set(t.map(({path:i})=>i)).size===r.size;return o?n.passed("file-set",`${r.size} files`,"exactly the files that\
 the manifest names"):n.notChecked("file-set",`only ${t.length} of ${r.size} files were looked at`),n.passed("file-diges\
ts",`${t.length} of ${r.size} files`,"their digests in the manifest"),o}function Rf(e,t){if(t.size!==e.size)throw x("fil\
e-set","the file has another size",e.path,`${t.size} bytes`,`${e.size} bytes`);let n=[["fsverity_sha256_4096",t.fsverity,
e.fsverity],["sha256",t.sha256,e.sha256]];for(let[r,o,i]of n)if(i&&!(o&&m(o,i)))throw Pf(r,e.path,o,i)}function Pf(e,t,n,r){
return x("file-digests",`${e} differs`,t,n?f(n):"not computed",f(r))}var Of=1024,$f="provenance-identity-v1",Nr="[0-9a-f]{64}",is="https?://[^ ]+",ss="[^ ](?:.*[^ ])?",Dr={key:Fe(Nr),certificate:Fe(
`${Nr} (?:email|dns|uri|dn):${ss}`),authority:Fe(Nr),sigstore:Fe(`${is} (?:email|uri|other):${ss}`),workflow:Fe(`${is} h\
ttps://[^ @]+`),"snp-measurement":Fe("[0-9a-f]{96}"),"simulated-snp-measurement":Fe("[0-9a-f]{96}")};function Fe(e){return new RegExp(
`^(?:${e})$`,"u")}function as(e,t){if(Mr(e))return e;let n=`a line that begins with ${Object.keys(Dr).join(", ")}`;throw y(
"publisher-identity","not the identity of a publisher",t,e,n)}function Mr(e){let t=kt(e),n=Object.hasOwn(Dr,t)?Dr[t]:void 0;
return n!==void 0&&_r(e)&&n.test(e.slice(t.length+1))}function kt(e){return e.split(" ",1)[0]}function cs(e){return["key",
"certificate","authority"].includes(kt(e))?e.split(" ")[1]:""}async function xn(e){return f(await p("SHA-256",k(`${$f}
${e}
`)))}function _r(e){return Ot(e)<=Of&&ai(e)&&e===e.normalize("NFC")}var ie=2n**256n-2n**32n-977n,ke=0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,Nf={x:0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
y:0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n};function fs(e,t,n){let r=se(t**3n+7n,ie),o=Mf(r,(ie+
1n)/4n);if(!(se(o*o,ie)===r&&t>0n&&t<ke&&n>0n&&n<ke))return[];let s=ls(t,ke),[a,c]=[-v(e)*s,n*s];return[o,ie-o].map(l=>Fr(
ds(Nf,se(a,ke)),ds({x:t,y:l},se(c,ke)))).flatMap(l=>l?[Df(l)]:[])}function Df({x:e,y:t}){let n=[e,t].map(i=>i.toString(16).
padStart(64,"0")).join(""),r=Ye(I(n)).slice(-40),o=Ye(k(r)).slice(2);return`0x${[...r].map((i,s)=>o[s]>="8"?i.toUpperCase():
i).join("")}`}function Fr(e,t){if(!e||!t)return e??t;if(e.x===t.x&&e.y!==t.y)return null;let[n,r]=e.x===t.x?[3n*e.x**2n,
2n*e.y]:[t.y-e.y,t.x-e.x],o=se(n*ls(se(r,ie),ie),ie),i=se(o**2n-e.x-t.x,ie);return{x:i,y:se(o*(e.x-i)-e.y,ie)}}function ds(e,t){
let n=null;for(let r=e,o=t;o>0n;o>>=1n)o&1n&&(n=Fr(n,r)),r=Fr(r,r);return n}function Mf(e,t){let n=1n;for(let r=e,o=t;o>
0n;o>>=1n)o&1n&&(n=se(n*r,ie)),r=se(r*r,ie);return n}function ls(e,t){let[n,r,o,i]=[e,t,1n,0n];for(;n>1n;){let s=r/n;[n,
r]=[r-s*n,n],[o,i]=[i-s*o,o]}return se(o,t)}function se(e,t){let n=e%t;return n<0n?n+t:n}var Ct="registry-record",Tt=4<<20,_f=1e3,Ff=64,hs=8,Uf=32+16*hs,Hf="tag:provenance-oracle,2026:verdict/v1",us=["passed",
"failed","not-checked"],Kf=/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;async function gs(e,t,n){let r=f(await p("SHA-256",e));if(r!==
t)throw It("the verdict is not that of the record",n,r,t);let o=D(e,{where:n,check:Ct,maxBytes:Tt}),i=new P(o,n,Ct),s=i.
fields("predicate");s.constant("verificationResult","PASSED");let a=s.text("timeVerified");if(!Kf.test(a))throw s.error(
"timeVerified","not a time",a,"2026-11-21T10:00:00Z");let c=f(s.fields("policy").fields("digest").hexBytes("sha256",32)),
d=s.fields("verifier").fields("version").text("provenance-oracle"),l=s.fields(Hf),u=l.fieldsList("findings",0,_f).map(Vf),
g=Gf(s);Yf(s);let h=i.fieldsList("subject",1,1)[0],b={name:h.text("name"),version:h.fields("annotations").text("version"),
model_digest:f(h.fields("digest").hexBytes("provenance_model_v1",32)),manifest_digest:f(l.hexBytes("manifestDigest",32)),
report_digest:f(l.hexBytes("reportDigest",32)),reported_tcb:f(l.hexBytes("reportedTcb",8)),product_line:l.text("productL\
ine"),grade:Number(l.integer("grade",0n,2n)),policy_digest:c,judged_at:a,passed_checks:jf(u)};return{digest:t,judgedAt:a,
policyDigest:c,version:d,findings:u,inputs:g,stated:b}}function ms(e,t){for(let n of Object.keys(e.stated)){let[r,o]=[String(
t[n]),String(e.stated[n])];if(r!==o)throw It(`the record says otherwise than its verdict (${n})`,"registry",r,o)}}async function ys(e,t,n){
let r=D(e,{where:n,check:Ct,maxBytes:2*Tt,maxTokens:Uf}),o=new P(r,n,Ct);o.constant("payloadType",te);let i=o.base64Bytes(
"payload",Tt),s=o.fieldsList("signatures",1,hs);o.finish();let a=await p("SHA-256",$e(te,i)),c=s.map(d=>Lf(d,a));if(!m(i,
t))throw It("the envelope is around another verdict",n,"another payload","the verdict of the record");return c}function Lf(e,t){
let n=e.where("sig"),r=e.text("keyid",64),o=e.base64Bytes("sig",80),i=gt(o,32),[s,a]=i?[v(i.subarray(0,32)),v(i.subarray(
32))]:[0n,0n];if(s===0n||s>=ke||a===0n||a>ke/2n)throw It("the signature of the verdict is malformed",n,`${o.length} othe\
r bytes`,"ECDSA-Sig-Value in DER with the lower s");e.finish();let c=fs(t,s,a);if(c.includes(r))return r;let d=c.join(" \
or ")||"no key";throw It("the signature of the verdict is not by the key that it names",n,d,r)}function Vf(e){let[t,n]=[
e.text("got",Tt),e.text("wanted",Tt)],[r,o]=[e.text("check"),e.text("outcome")];if(!ce.includes(r))throw e.error("check",
"unknown value",r,"a check");if(!us.includes(o))throw e.error("outcome","unknown value",o,us.join(" or "));return{check:r,
outcome:o,got:t,wanted:n}}function jf(e){let t=new Set(e.filter(({outcome:n})=>n!=="passed").map(({check:n})=>n));return ce.
filter(n=>!t.has(n)&&e.some(r=>r.check===n))}function Gf(e){let t=e.fieldsList("inputAttestations",1,Ff),n=new Map(t.map(
r=>[r.text("uri"),f(r.fields("digest").hexBytes("sha256",32))]));if(n.size===t.length)return n;throw e.error("inputAttes\
tations","a name occurs twice",`${t.length}`,"each once")}function Yf(e){let t=e.value("verifiedLevels");if(!(Array.isArray(
t)&&t.every(n=>typeof n=="string")))throw e.error("verifiedLevels","wrong type","something else","a list of strings")}function It(e,t,n,r){
return x(Ct,e,t,n,r)}async function ps(e,t,{claims:n,manifest:r,modelDigest:o},i){let s={manifest_digest:f(r.digest),model_digest:o?f(o):e.model_digest,
report_digest:f(await p("SHA-256",n.report.signed)),reported_tcb:f(n.report.reportedTcb),product_line:n.rootKind==="simu\
lator"?"simulated":n.line,name:r.name,version:r.version,publisher_identity:await xn(Zf(n,r))};Hr(e,s),await Ur(e,t,`the \
record names this release${o?"":", but for the model digest, which the manifest does not state"}`,i)}async function Ur(e,t,n,r){
if(e.closure!==null)throw _("registry-record",e.closed_because??e.closure,"registry",e.closure,"an active record");let o=[
n,...await zf(e,t)];e.batch&&!t.proof?r.notChecked("registry-record",`${o.join("; ")}; no proof that the record is in it\
s batch`):r.passed("registry-record",o.join("; "),"every fact that follows from the release")}function Hr(e,t){for(let n of Object.
keys(t)){if(t[n]===e[n])continue;let r=`the record on chain belongs to another release (${n} differs)`;throw x("registry\
-record",r,"registry",String(e[n]),String(t[n]))}}async function zf(e,{verdict:t,envelope:n,proof:r}){let o=[];return t&&
(ms(await gs(t,e.verdict_digest,"verdict"),e),o.push("the oracle's verdict has the digest on chain and says the same")),
t&&n&&(Jf(await ys(n,t,"envelope"),e),o.push("an oracle that signed the record signed the verdict")),r&&e.batch&&(Xf(r,e,
e.batch),o.push(`leaf ${e.batch.leaf} leads to the root of the batch`)),o}function Jf(e,{signers:t}){let n=t.flatMap(({address:o})=>o?.
toLowerCase()??[]);if(n.length<t.length||e.some(o=>n.includes(o.toLowerCase())))return;throw x("registry-record","the ve\
rdict is signed by another key than the record","envelope",e.join(", "),n.join(" or "))}function Xf(e,t,n){let{root:r,leaf:o,
record:i}=_t(e,"proof"),s=[f(r),o,f(i.id),f(de(i.fields.verdictDigest))].join(" "),a=[n.root,n.leaf,t.record_id,t.verdict_digest].
join(" ");if(s!==a)throw x("registry-record","the proof is of another record","proof",s,a)}function Zf({rootKind:e,report:t},{
publisher:n}){return n||`${e==="simulator"?"simulated-":""}snp-measurement ${f(t.measurement)}`}var Sn=64<<20,bs="publisher-signature",As="application/vnd.dev.sigstore.bundle.v0.3+json",Kr="application/vnd.dev.sigsto\
re.bundle+json;version=0.",Qf=[`${Kr}1`,`${Kr}2`,`${Kr}3`,As],ws=["publicKey","x509CertificateChain","certificate"],Wf=2e3,
qf=8,el=16384,tl=8,xs=64,Lr=32,nl=2n**37n;function Vr(e,t){let n=D(e,{where:t,check:bs,maxBytes:Sn,maxTokens:Wf}),r=new P(
n,t,bs),o=r.text("mediaType");if(!Qf.includes(o))throw r.error("mediaType","unknown value",o,As);let i=ol(r.fields("dsse\
Envelope")),s=r.fields("verificationMaterial");r.finish();let a=ws.filter(l=>s.has(l));if(a.length!==1)throw s.error("",
"not one verification material",`${a.length} of them`,ws.join(" or "));let d={...{where:t,envelope:i,keyHint:"",rawKey:new Uint8Array,
certificates:[],entry:null,stamps:[]},...rl[a[0]](s)};return s.finish(),d}var rl={publicKey(e){Ss(e);let t=e.fields("pub\
licKey"),n=t.optionalText("hint",64)??"",r=t.has("rawBytes")?t.base64Bytes("rawBytes",4096):new Uint8Array;return t.optionalText(
"keyDetails",64),t.finish(),{method:"key",keyHint:n,rawKey:r}},x509CertificateChain(e){Ss(e);let t=e.fields("x509Certifi\
cateChain"),n=t.fieldsList("certificates",1,qf).map(Es);return t.finish(),{method:"certificate",certificates:n}},certificate(e){
let t=[Es(e.fields("certificate"))],n=il(e.fieldsList("tlogEntries",1,1)[0]),r=e.optionalFields("timestampVerificationDa\
ta"),i=(r?.has("rfc3161Timestamps")?r.fieldsList("rfc3161Timestamps",0,tl):[]).map(s=>Bs(s,s.base64Bytes("signedTimestam\
p",32768)));return r?.finish(),{method:"sigstore",certificates:t,entry:n,stamps:i}}};function ol(e){e.constant("payloadT\
ype",te);let t=e.base64Bytes("payload",Sn),n=e.fieldsList("signatures",1,1)[0],r=n.base64Bytes("sig",256),o=n.has("keyid")?
n.value("keyid"):null;if(o!==null&&o!=="")throw n.error("keyid","not empty","a key id","nothing; model signatures have n\
o key id");return n.finish(),e.finish(),{payload:t,signature:r,keyid:""}}function Es(e){return Bs(e,e.base64Bytes("rawBy\
tes",el))}function Ss(e){e.has("tlogEntries")&&e.fieldsList("tlogEntries",0,0),e.optionalFields("timestampVerificationDa\
ta")?.finish()}function il(e){let t=e.fields("logId"),n=e.fields("kindVersion"),r=e.fields("inclusionProof"),o=r.fields(
"checkpoint"),i=e.optionalFields("inclusionPromise"),s={logId:t.base64Bytes("keyId",64),kind:`${n.text("kind",32)} ${n.text(
"version",32)}`,index:En(e,"logIndex",Se),integratedAt:e.has("integratedTime")?Number(En(e,"integratedTime",nl)):0,promise:i?
al(i):new Uint8Array,body:e.base64Bytes("canonicalizedBody",1<<20),proofIndex:En(r,"logIndex",Se),treeSize:En(r,"treeSiz\
e",Se),root:sl(r,"rootHash"),hashes:cl(r),checkpoint:o.text("envelope",65536)};for(let a of[t,n,o,r,i,e])a?.finish();return s}
function En(e,t,n){let r=e.text(t,20);if(/^(0|[1-9][0-9]{0,18})$/.test(r)&&BigInt(r)<=n)return BigInt(r);throw e.error(t,
"not a number",r,"decimal digits of a 64-bit integer, as a string")}function sl(e,t){let n=e.base64Bytes(t,Lr);if(n.length!==
Lr)throw e.error(t,"not a digest",`${n.length} bytes`,"32 bytes");return n}function al(e){let t=e.base64Bytes("signedEnt\
ryTimestamp",1024);if(t.length)return t;throw e.error("signedEntryTimestamp","empty","no bytes","a signature")}function cl(e){
let t=e.has("hashes")?e.value("hashes"):[],r=(Array.isArray(t)?t:[null]).map(o=>typeof o=="string"?N(o):void 0);if(r.length<=
xs&&r.every(o=>o?.length===Lr))return r;throw e.error("hashes","not a list of digests","another value",`at most ${xs}, o\
f 32 bytes in base64`)}function Bs(e,t){return e.finish(),t}var An=128,Cs=4,dl=8,fl=1,ll=128,[vs,jr]=[128,160],ul=/^[A-Za-z0-9 '()+,\-./:=?]*$/,ks={"2.5.4.3":"CN","2.5.4.7":"L","2.\
5.4.8":"ST","2.5.4.10":"O","2.5.4.11":"OU","2.5.4.6":"C","2.5.4.9":"STREET","0.9.2342.19200300.100.1.25":"DC","0.9.2342.\
19200300.100.1.1":"UID"};function Ts(e,t){let n=[...q(B(e,t),t)],r=n[0]?.tag===ct&&n.shift().content[0]===255,o=n.shift(),
i=o===void 0||o.tag===j&&o.content[0]<128&&r,s=B(e,t).children[0]?.content[0]===0&&!r&&o===void 0;if(!i||s||n.length)throw F(
t,e);return{ca:r,pathLength:o&&v(o.content)}}function Is(e,t){let n=B(e,t);if(n.tag!==Je)throw F(t,e);let[,r=0,o=0]=n.content;
if(((r&fl)!==0||(o&ll)!==0)&&!(r&dl))throw F(t,e);return r}function Rs(e,t){let n=q(B(e,t),t).map(r=>R(r,t));if(n.length===
0)throw F(t,e);return n}function Ps(e,t){return q(B(e,t),t).map(r=>Bn(r,t)).filter(r=>r!=="")}var hl={129:"email",130:"d\
ns",134:"uri"};function Bn(e,t){let{tag:n,content:r,children:o}=e,i=hl[n];if(i!==void 0){let g=V(r);if(g===void 0)throw F(
t,e.encoding);return`${i}:${g}`}let[s,a]=o,d=n===160&&o.length===2&&s.tag===M&&a.tag===160&&a.children.length===1,l=n===
135&&gl(r),u=n===136&&zn(r);if(n===164&&o.length===1)vn(s,t);else if(!d&&!l&&!u)throw F(t,e.encoding);return""}function gl(e){
let t=e.length/2;if(e.length===4||e.length===16)return!0;if(t!==4&&t!==16)return!1;let[n,r]=[e.subarray(0,t),e.subarray(
t)].map(v),o=2n**BigInt(8*t)-1n-r;return(o&o+1n)===0n&&(n&o)===0n}function vn(e,t){return q(e,t).map(r=>{if(r.tag!==ee||
r.children.length===0||new Set(r.children.map(({encoding:i})=>f(i))).size!==r.children.length)throw F(t,r.encoding);return r.
children.map(i=>ml(i,t)).join("+")}).reverse().join(",")}function ml(e,t){let[n,r]=q(e,t);if(e.children.length!==2||!n||
!r)throw F(t,e.encoding);let o=R(n,t),i=[G,Be,dt].includes(r.tag)?V(r.content):void 0;if(!(i!==void 0&&(r.tag!==Be||ul.test(
i))))throw F(t,e.encoding);return`${Object.hasOwn(ks,o)?ks[o]:o}=${yl(i)}`}function yl(e){let t=e.replace(/[\\"+,;<>]/g,
"\\$&").replaceAll("\0","\\00"),n=t.startsWith("#")||t.startsWith(" ")&&t.length>1?`\\${t}`:t;return n.endsWith(" ")?`${n.
slice(0,-1)}\\ `:n}function Os(e,t){let n=B(e,t);if(n.tag!==U)throw F(t,e);return n.content}function $s(e,t){let n=[...q(
B(e,t),t)],r=n[0]?.tag===vs?n.shift().content:void 0,o=n[0]?.tag===(jr|1)?n.shift():void 0;o?.children.forEach(s=>Bn(s,t));
let i=n[0]?.tag===(vs|2)?n.shift():void 0;if(n.length||!o!=!i)throw F(t,e);return{keyId:r,namesIssuer:o!==void 0}}function Ns(e,t){
for(let n of q(B(e,t),t)){let[r,o]=q(n,t);if(n.children.length!==2)throw F(t,e);R(r,t),Bn(o,t)}}function Ds(e,t){for(let n of q(
B(e,t),t)){let[r,...o]=q(n,t),i=r?.children[0];if(!(r?.tag===jr&&r.children.length===1&&o.length===0)||i?.tag!==jr)throw F(
t,e);for(let a of i.children)Bn(a,t)}}function Gr(e,t){let n=String.fromCharCode(...e.content.subarray(0,16)),r=e.tag===
ze?`${n<"50"?"20":"19"}${n}`:n,o=(e.tag===ze||e.tag===Xe)&&/^[0-9]{14}Z$/.test(r),i=o?[r.slice(0,4),...r.slice(4,14).match(
/../g)].map(Number):[],[s=0,a=0,c=0,d=0,l=0,u=0]=i,g=ft(s,a,c,d,l,u);if(!o||g===void 0)throw t("not a time",f(e.encoding.
subarray(0,24)),"a time");return g}function q(e,t){if(e.tag!==w)throw F(t,e.encoding);return e.children}function F(e,t){
return e("another structure",f(t.subarray(0,16)),"the form of RFC 5280")}var pl=Uint8Array.of(2),bl="1.2.840.10045.2.1",wl="1.2.840.113549.1.1.1",xl="0500",El=[129,130],Sl=["0x12","0x14","0x1c",
"0x1e"],Al="1.2.840.113549.1.1.10",Bl=[2,3,6,7],vl=["1.2.840.10045.3.1.7","1.3.132.0.34","1.3.132.0.35"],Ue={"1.2.840.10\
045.4.3.2":{by:"EC",hash:"SHA-256"},"1.2.840.10045.4.3.3":{by:"EC",hash:"SHA-384"},"1.2.840.10045.4.3.4":{by:"EC",hash:"\
SHA-512"},"1.2.840.113549.1.1.11":{by:"RSA",hash:"SHA-256"},"1.2.840.113549.1.1.12":{by:"RSA",hash:"SHA-384"},"1.2.840.1\
13549.1.1.13":{by:"RSA",hash:"SHA-512"}};async function ot(e,t,n=[]){let r=(xe,Le,he)=>y("publisher-signature",`not an a\
cceptable certificate: ${xe}`,t,Le,he),{signed:o,fields:i}=Ce("publisher-signature",()=>pt(e,t,kl(t))),s=[...i],a=s[0]?.
tag===Y(0)?s.shift():void 0,c=a===void 0||a.children.length===1&&Ut(a.children[0],j,pl),d=s.at(-1)?.tag===Y(3)?s.pop():void 0,
[l,u,g,h,b,$,...K]=s;if(K.length>0&&K.every(({tag:xe})=>El.includes(xe)))throw new T("a certificate has a unique identif\
ier");let L=l?.tag===j&&u?.tag===w&&h?.tag===w;if(!c||!L||h.children.length!==2||$?.tag!==w||K.length)throw r("another s\
tructure",`${i.length} fields`,"a certificate of version 3");return Ms(u,r),vn(g,r),{where:t,der:e,signed:o,algorithm:Ms(
B(o.algorithm,r),r),isConsistent:m(o.algorithm,u.encoding),issuer:g.encoding,subject:b.encoding,begins:Gr(h.children[0],
r),ends:Gr(h.children[1],r),spki:$.encoding,spkiDigest:f(await p("SHA-256",$.encoding)),key:Ce("publisher-signature",()=>Cl(
$,t,r)),fields:i,...Rl(d,vn(b,r),t,r,n)}}function kl(e){return(t,n,r)=>{if(Sl.includes(n))throw new T("a certificate has\
 a text of an old type");return H(e)(t,n,r)}}function Ms(e,t){let[n,r]=e.children,o=n&&e.children.length<=2?R(n,t):"";if(o===
Al)throw new T("a certificate is signed by RSA-PSS");let i=Object.hasOwn(Ue,o)?Ue[o]:void 0,s=r&&f(r.encoding)===xl;if(o&&
(!i||!r||s&&i.by==="RSA"))return o;throw t("malformed algorithm",f(e.encoding.subarray(0,24)),"an identifier")}function Cl(e,t,n){
let[r,o]=e.children,[i,s]=r?.children??[],a=i?.tag===M&&s?.tag===M&&R(i,n)===bl;if(r?.children.length===1&&i?.tag===M&&R(
i,n)===wl)throw new T("a certificate holds an RSA key without parameters");if(!a)return Gt(e,t);let d=R(s,n);if(vl.includes(
d)&&Bl.includes(o?.content[1]??0))throw new T("a certificate holds a key in a form that browsers do not read");return Gt(
e,t)}var Tl=new Set(["2.5.29.16","2.5.29.18","2.5.29.30","2.5.29.32","2.5.29.36","2.5.29.54","1.3.6.1.5.5.7.1.7","1.3.6.\
1.5.5.7.1.8","1.3.6.1.5.5.7.1.14","1.3.6.1.5.5.7.1.24","1.3.6.1.5.5.7.48.1.5","1.3.6.1.4.1.11129.2.4.2","1.3.6.1.4.1.111\
29.2.4.3","1.3.6.1.4.1.311.21.7","1.3.36.8.3.3","2.16.840.1.113730.1.1"]),Il=["2.5.29.15","2.5.29.17","2.5.29.19","2.5.2\
9.37"];function Rl(e,t,n,r,o){let i=e?Ce("publisher-signature",()=>bt(e,3,n)):[],s=i.find(({oid:d})=>Tl.has(d)&&!o.includes(
d));if(s)throw new T(`a certificate has the extension ${s.oid}, which this page does not read`);let a=(d,l)=>{let u=i.find(
g=>g.oid===d)?.value;return u&&l(u,(g,h,b)=>r(`${g} in extension ${d}`,h,b))};for(let d of["1.3.6.1.5.5.7.1.1","1.3.6.1.\
5.5.7.1.11"])a(d,Ns);for(let d of["2.5.29.31","2.5.29.46"])a(d,Ds);let c=a("2.5.29.35",$s);if(c?.namesIssuer)throw new T(
"a certificate names its issuer's certificate by number");return{extensions:i,basic:a("2.5.29.19",Ts),usage:a("2.5.29.15",
Is),purposes:a("2.5.29.37",Rs),unknown:i.filter(({critical:d,oid:l})=>d&&!Il.includes(l)).map(({oid:d})=>d),names:a("2.5\
.29.17",Ps)??[`dn:${t}`],subjectKeyId:a("2.5.29.14",Os),authorityKeyId:c?.keyId}}var _s=2048,Cn="1.3.6.1.5.5.7.3.3",Pl="2.5.29.37.0";async function Yr(e,t,n){let r=e.certificates.map((c,d)=>ot(c,`${e.where}\
, certificate ${d+1}`)),o=await Promise.all(r),i=t===void 0?o.at(-1):void 0,s=await Ol(e,o,i?.spkiDigest??cs(t),i);for(let c of s)
Nl(c,n);let a=Dl(s[0]);return s.slice(1).forEach(Ml),await rt(e,a),{method:e.method,lines:_l(s[0],s.at(-1))}}async function Ol(e,t,n,r){
let o=t[0],i=[o];if(m(o.issuer,o.subject)&&o.spkiDigest===n)return i;for(let a of t.slice(1)){await kn(i.at(-1),a);let c=a.
spkiDigest===n,d=c?r??a:a;if(d!==a&&await kn(i.at(-1),d),i.push(d),c)return i}let s=`a chain of ${i.length} that does no\
t lead to it`;throw S(e.where,"the chain leads to another CA",s,"the CA that the identity names")}async function kn(e,t){
let{authorityKeyId:n}=e,r=m(e.issuer,t.subject)&&e.isConsistent,o=!n||!t.subjectKeyId||m(n,t.subjectKeyId);if(r&&o&&await $l(
e,t))return;let i=`${t.where} did not sign it`;throw S(e.where,"the chain is broken",i,"a certificate signed by the next")}
async function $l(e,t){let{algorithm:n,signed:r}=e,{key:o,spki:i}=t,s=Ue[n];if(s===void 0)return!1;if("curve"in o){let c={
spki:i,algorithm:`ECDSA ${o.curve}`};return s.by==="EC"&&W(c,r.signature,r.tbs,s.hash)}let a="RSASSA-PKCS1-v1_5";return s.
by==="RSA"&&ht(i,{name:a,hash:s.hash},{name:a},r.signature,r.tbs)}function Nl(e,t){let{where:n,begins:r,ends:o,algorithm:i,
key:s,unknown:a}=e;if(t<r||t>o)throw S(n,"the certificate is not valid now",`${r} to ${o}`,`one valid at ${t}`);if(!Object.
hasOwn(Ue,i))throw S(n,"the certificate's signature has another hash",i,"SHA-256, SHA-384 or SHA-512");if("bits"in s&&s.
bits<_s)throw S(n,"weak key",`${s.bits} bits`,`RSA of ${_s} bits or more`);if(a.length)throw S(n,"a critical extension t\
hat nobody knows",a.join(", "),"only known critical extensions")}function Dl(e){if(!((e.usage??0)&An))throw S(e.where,"t\
he certificate may not sign","no digitalSignature","keyUsage digitalSignature");Fs(e,[Cn]);let{key:t,spki:n}=e;if("curve"in
t)return{spki:n,algorithm:`ECDSA ${t.curve}`};throw S(e.where,"the signer's key is of another kind","RSA","ECDSA on P-25\
6, P-384 or P-521")}function Ml(e,t){let{where:n,basic:r,usage:o=0}=e;if(!r?.ca||!(o&Cs))throw S(n,"the issuer is no CA",
"no CA flag, or no keyCertSign","a CA certificate");if(r.pathLength!==void 0&&r.pathLength<t)throw S(n,"the chain is too\
 long",`${t} CAs below this one`,`at most ${r.pathLength}`);Fs(e,[Cn,Pl])}function Fs({where:e,purposes:t},n){if(!t||t.some(
o=>n.includes(o)))return;throw S(e,"the certificate has another purpose",t.join(", "),"codeSigning, or no extended key u\
sage")}function _l(e,t){return[...e.names.map(r=>`certificate ${t.spkiDigest} ${r}`),`authority ${t.spkiDigest}`].filter(
_r)}var Us={mediaType:"application/vnd.dev.sigstore.trustedroot+json;version=0.1",tlogs:[{baseUrl:"https://rekor.sigstore.de\
v",hashAlgorithm:"SHA2_256",publicKey:{rawBytes:"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSG\
tks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==",keyDetails:"PKIX_ECDSA_P256_SHA_256",validFor:{start:"2021-01-12T\
11:53:27Z"}},logId:{keyId:"wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0="}},{baseUrl:"https://log2025-1.rekor.sigstore.de\
v",hashAlgorithm:"SHA2_256",publicKey:{rawBytes:"MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=",keyDetails:"\
PKIX_ED25519",validFor:{start:"2025-09-23T00:00:00Z"}},logId:{keyId:"zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="}}],certificateAuthorities:[
{subject:{organization:"sigstore.dev",commonName:"sigstore"},uri:"https://fulcio.sigstore.dev",certChain:{certificates:[
{rawBytes:"MIIB+DCCAX6gAwIBAgITNVkDZoCiofPDsy7dfm6geLbuhzAKBggqhkjOPQQDAzAqMRUwEwYDVQQKEwxzaWdzdG9yZS5kZXYxETAPBgNVBAMTC\
HNpZ3N0b3JlMB4XDTIxMDMwNzAzMjAyOVoXDTMxMDIyMzAzMjAyOVowKjEVMBMGA1UEChMMc2lnc3RvcmUuZGV2MREwDwYDVQQDEwhzaWdzdG9yZTB2MBAGB\
yqGSM49AgEGBSuBBAAiA2IABLSyA7Ii5k+pNO8ZEWY0ylemWDowOkNa3kL+GZE5Z5GWehL9/A9bRNA3RbrsZ5i0JcastaRL7Sp5fp/jD5dxqc/UdTVnlvS16\
an+2Yfswe/QuLolRUCrcOE2+2iA5+tzd6NmMGQwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwHQYDVR0OBBYEFMjFHQBBmiQpMlEk6w2uS\
u1KBtPsMB8GA1UdIwQYMBaAFMjFHQBBmiQpMlEk6w2uSu1KBtPsMAoGCCqGSM49BAMDA2gAMGUCMH8liWJfMui6vXXBhjDgY4MwslmN/TJxVe/83WrFomwmN\
f056y1X48F9c4m3a3ozXAIxAKjRay5/aj/jsKKGIkmQatjI8uupHr/+CxFvaJWmpYqNkLDGRU+9orzh5hI2RrcuaQ=="}]},validFor:{start:"2021-03\
-07T03:20:29Z",end:"2022-12-31T23:59:59.999Z"}},{subject:{organization:"sigstore.dev",commonName:"sigstore"},uri:"https:\
//fulcio.sigstore.dev",certChain:{certificates:[{rawBytes:"MIICGjCCAaGgAwIBAgIUALnViVfnU0brJasmRkHrn/UnfaQwCgYIKoZIzj0EA\
wMwKjEVMBMGA1UEChMMc2lnc3RvcmUuZGV2MREwDwYDVQQDEwhzaWdzdG9yZTAeFw0yMjA0MTMyMDA2MTVaFw0zMTEwMDUxMzU2NThaMDcxFTATBgNVBAoTD\
HNpZ3N0b3JlLmRldjEeMBwGA1UEAxMVc2lnc3RvcmUtaW50ZXJtZWRpYXRlMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE8RVS/ysH+NOvuDZyPIZtilgUF9Nla\
rYpAd9HP1vBBH1U5CV77LSS7s0ZiH4nE7Hv7ptS6LvvR/STk798LVgMzLlJ4HeIfF3tHSaexLcYpSASr1kS0N/RgBJz/9jWCiXno3sweTAOBgNVHQ8BAf8EB\
AMCAQYwEwYDVR0lBAwwCgYIKwYBBQUHAwMwEgYDVR0TAQH/BAgwBgEB/wIBADAdBgNVHQ4EFgQU39Ppz1YkEZb5qNjpKFWixi4YZD8wHwYDVR0jBBgwFoAUW\
MAeX5FFpWapesyQoZMi0CrFxfowCgYIKoZIzj0EAwMDZwAwZAIwPCsQK4DYiZYDPIaDi5HFKnfxXx6ASSVmERfsynYBiX2X6SJRnZU84/9DZdnFvvxmAjBOt\
6QpBlc4J/0DxvkTCqpclvziL6BCCPnjdlIB3Pu3BxsPmygUY7Ii2zbdCdliiow="},{rawBytes:"MIIB9zCCAXygAwIBAgIUALZNAPFdxHPwjeDloDwyYCh\
AO/4wCgYIKoZIzj0EAwMwKjEVMBMGA1UEChMMc2lnc3RvcmUuZGV2MREwDwYDVQQDEwhzaWdzdG9yZTAeFw0yMTEwMDcxMzU2NTlaFw0zMTEwMDUxMzU2NTh\
aMCoxFTATBgNVBAoTDHNpZ3N0b3JlLmRldjERMA8GA1UEAxMIc2lnc3RvcmUwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAAT7XeFT4rb3PQGwS4IajtLk3/Olnpg\
angaBclYpsYBr5i+4ynB07ceb3LP0OIOZdxexX69c5iVuyJRQ+Hz05yi+UF3uBWAlHpiS5sh0+H2GHE7SXrk1EC5m1Tr19L9gg92jYzBhMA4GA1UdDwEB/wQ\
EAwIBBjAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBRYwB5fkUWlZql6zJChkyLQKsXF+jAfBgNVHSMEGDAWgBRYwB5fkUWlZql6zJChkyLQKsXF+jAKBgg\
qhkjOPQQDAwNpADBmAjEAj1nHeXZp+13NWBNa+EDsDP8G1WWg1tCMWP/WHPqpaVo0jhsweNFZgSs0eE7wYI4qAjEA2WB9ot98sIkoF3vZYdd3/VtWB5b9TNM\
ea7Ix/stJ5TfcLLeABLE4BNJOsQ4vnBHJ"}]},validFor:{start:"2022-04-13T20:06:15Z"}}],ctlogs:[{baseUrl:"https://ctfe.sigstore.\
dev/test",hashAlgorithm:"SHA2_256",publicKey:{rawBytes:"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbfwR+RJudXscgRBRpKX1XFDy3Pyu\
dDxz/SfnRi1fT8ekpfBd2O1uoz7jr3Z8nKzxA69EUQ+eFCFI3zeubPWU7w==",keyDetails:"PKIX_ECDSA_P256_SHA_256",validFor:{start:"2021\
-03-14T00:00:00Z",end:"2022-10-31T23:59:59.999Z"}},logId:{keyId:"CGCS8ChS/2hF0dFrJ4ScRWcYrBY9wzjSbea8IgY2b3I="}},{baseUrl:"\
https://ctfe.sigstore.dev/2022",hashAlgorithm:"SHA2_256",publicKey:{rawBytes:"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiPSlFi\
0CmFTfEjCUqF9HuCEcYXNKAaYalIJmBZ8yyezPjTqhxrKBpMnaocVtLJBI1eM3uXnQzQGAJdJ4gs9Fyw==",keyDetails:"PKIX_ECDSA_P256_SHA_256",
validFor:{start:"2022-10-20T00:00:00Z"}},logId:{keyId:"3T0wasbHETJjGR4cmWc3AqJKXrjePK3/h4pygC8p7o4="}}],timestampAuthorities:[
{subject:{organization:"sigstore.dev",commonName:"sigstore-tsa-selfsigned"},uri:"https://timestamp.sigstore.dev/api/v1/t\
imestamp",certChain:{certificates:[{rawBytes:"MIICEDCCAZagAwIBAgIUOhNULwyQYe68wUMvy4qOiyojiwwwCgYIKoZIzj0EAwMwOTEVMBMGA1\
UEChMMc2lnc3RvcmUuZGV2MSAwHgYDVQQDExdzaWdzdG9yZS10c2Etc2VsZnNpZ25lZDAeFw0yNTA0MDgwNjU5NDNaFw0zNTA0MDYwNjU5NDNaMC4xFTATBg\
NVBAoTDHNpZ3N0b3JlLmRldjEVMBMGA1UEAxMMc2lnc3RvcmUtdHNhMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE4ra2Z8hKNig2T9kFjCAToGG30jky+WQv3B\
zL+mKvh1SKNR/UwuwsfNCg4sryoYAd8E6isovVA3M4aoNdm9QDi50Z8nTEyvqgfDPtTIwXItfiW/AFf1V7uwkbkAoj0xxco2owaDAOBgNVHQ8BAf8EBAMCB4\
AwHQYDVR0OBBYEFIn9eUOHz9BlRsMCRscsc1t9tOsDMB8GA1UdIwQYMBaAFJjsAe9/u1H/1JUeb4qImFMHic6/MBYGA1UdJQEB/wQMMAoGCCsGAQUFBwMIMA\
oGCCqGSM49BAMDA2gAMGUCMDtpsV/6KaO0qyF/UMsX2aSUXKQFdoGTptQGc0ftq1csulHPGG6dsmyMNd3JB+G3EQIxAOajvBcjpJmKb4Nv+2Taoj8Uc5+b6i\
h6FXCCKraSqupe07zqswMcXJTe1cExvHvvlw=="},{rawBytes:"MIIB9zCCAXygAwIBAgIUV7f0GLDOoEzIh8LXSW80OJiUp14wCgYIKoZIzj0EAwMwOTEV\
MBMGA1UEChMMc2lnc3RvcmUuZGV2MSAwHgYDVQQDExdzaWdzdG9yZS10c2Etc2VsZnNpZ25lZDAeFw0yNTA0MDgwNjU5NDNaFw0zNTA0MDYwNjU5NDNaMDkx\
FTATBgNVBAoTDHNpZ3N0b3JlLmRldjEgMB4GA1UEAxMXc2lnc3RvcmUtdHNhLXNlbGZzaWduZWQwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAAQUQNtfRT/ou3YA\
Ta6wB/kKTe70cfJwyRIBovMnt8RcJph/COE82uyS6FmppLLL1VBPGcPfpQPYJNXzWwi8icwhKQ6W/Qe2h3oebBb2FHpwNJDqo+TMaC/tdfkv/ElJB72jRTBD\
MA4GA1UdDwEB/wQEAwIBBjASBgNVHRMBAf8ECDAGAQH/AgEAMB0GA1UdDgQWBBSY7AHvf7tR/9SVHm+KiJhTB4nOvzAKBggqhkjOPQQDAwNpADBmAjEAwGEG\
rfGZR1cen1R8/DTVMI943LssZmJRtDp/i7SfGHmGRP6gRbuj9vOK3b67Z0QQAjEAuT2H673LQEaHTcyQSZrkp4mX7WwkmF+sVbkYY5mXN+RMH13KUEHHOqAS\
aemYWK/E"}]},validFor:{start:"2025-07-04T00:00:00Z"}}]};var zr=Us;async function Tn(e,t){let n=e.filter(({logId:r})=>f(N(r.keyId))===t);return Promise.all(n.map(({publicKey:r})=>Ul(
t,r)))}async function Ul(e,{rawBytes:t,validFor:n}){let r=N(t),o={spki:r,algorithm:Pe(r)};return{id:e,spkiDigest:f(await p(
"SHA-256",r)),window:Hs(n),signed:(i,s)=>W(o,i,s)}}async function In({certChain:e,validFor:t}){let n=e.certificates.map(
({rawBytes:r})=>ot(N(r),"root"));return{chain:await Promise.all(n),window:Hs(t)}}function Hs({start:e,end:t}){return{start:Date.
parse(e)/1e3,end:t===void 0?1/0:Date.parse(t)/1e3}}function Rt({start:e,end:t},n){return e<=n&&n<=t}function Rn({chain:e,
window:t},n){return Rt(t,n)&&e.every(({begins:r,ends:o})=>r<=n&&n<=o)}var Pn="1.3.6.1.4.1.11129.2.4.2",Hl="2.5.29.17",Kl="1.3.6.1.4.1.57264.1",[Ll,Vl,jl,Gl]=[1,7,8,9].map(e=>`${Kl}.${e}`),Yl="\
0403",zl=Uint8Array.of(0,1);function Ks(e){let t=(l,u,g)=>y("publisher-signature",`malformed certificate: ${l}`,e.where,
u,g),n=l=>Vs(e,l)??new Uint8Array,r=q(B(n(Hl),t),t),[o]=r;if(!o||r.length!==1)throw Xr(e,`${r.length} names`,"exactly on\
e alternative name");let[i,s]=[n(Ll),Jr(n(jl),t)],a=s||new TextDecoder("utf-8",{ignoreBOM:!0}).decode(i);if(s&&i.length&&
V(i)!==s)throw Xr(e,"two issuers","one issuer");let c=Jr(n(Gl),t),d=[`sigstore ${a} ${Jl(o,e,t)}`];return c&&d.push(`wor\
kflow ${a} ${Xl(c)}`),d.filter(Mr)}function Jl(e,t,n){let[r,o]=e.children;if(e.tag===129||e.tag===134)return`${e.tag===129?
"email":"uri"}:${V(e.content)??""}`;if(e.tag===Y(0)&&r?.tag===M&&R(r,n)===Vl&&o?.children.length===1)return`other:${Jr(o.
children[0].encoding,n)}`;throw Xr(t,"a name of another kind","an e-mail address, a URI or sigstore's other name")}function Xl(e){
return e.includes("@refs/")?e.slice(0,e.indexOf("@refs/")):e.slice(0,Math.max(e.lastIndexOf("@"),0))}function Jr(e,t){if(!e.
length)return"";let n=B(e,t);if(n.tag!==G)throw t("a text of another type",`tag ${n.tag}`,"UTF8String");return V(n.content)}
async function Ls(e,t,n,r){let o=Zl(e),[i,s]=o?await Tn(n.ctlogs,f(o.logId)):[],a=o?Number(v(o.moment))/1e3:0,c=i?.spkiDigest===
i?.id&&!s&&i&&Rt(i.window,a)&&a<=r;if(!(o&&c&&await i.signed(o.signature,Ql(o,e,t))))throw S(e.where,"no log vouches for\
 the certificate","no such SCT","one SCT by a log of the root")}function Zl(e){let t=()=>S(e.where,"no SCT","another for\
m","a list of SCTs"),n=B(Vs(e,Pn)??new Uint8Array,t),r=n.content,o=d=>Number(v(r.subarray(d,d+2))),i=47+o(45),s=i+4,a=n.
tag===U&&o(0)===r.length-2&&o(2)===r.length-4&&r[4]===0,c=f(r.subarray(i,i+2))===Yl;if(!(!a||!c||s+o(i+2)!==r.length))return{
logId:r.subarray(5,37),moment:r.subarray(37,45),extensions:r.subarray(45,i),signature:r.subarray(s)}}function Ql(e,t,n){
let r=Wl(t),o=Uint8Array.of(r.length>>16,r.length>>8&255,r.length&255),i=A(Uint8Array.of(0,0),e.moment,zl),s=Uint8Array.
from(n.spkiDigest.match(/../g),a=>Number.parseInt(a,16));return A(i,s,o,r,e.extensions)}function Wl({fields:e}){let t=s=>new Error(
s),[n]=e.at(-1).children,r=n.children.filter(({children:[s]})=>R(s,t)!==Pn),o=Q(w,A(...r.map(({encoding:s})=>s))),i=e.slice(
0,-1).map(({encoding:s})=>s);return Q(w,A(...i,Q(Y(3),o)))}function Vs({extensions:e},t){return e.find(n=>n.oid===t)?.value}
function Xr(e,t,n){return S(e.where,"the certificate does not name one signer",t,n)}var He="dsse 0.0.1",Zr="hashedrekord 0.0.2",On=4;async function js(e,t,n){let r=(l,u,g)=>S(e.where,l,u,g);if(t.kind!==He&&
t.kind!==Zr)throw r("another kind of entry",t.kind,He);let[o,i]=await Tn(n.tlogs,f(t.logId));if(!o||i)throw r("no such l\
og",f(t.logId),"a log of the trusted root");if(!await ql(t))throw r("the log does not include the entry",`index ${t.proofIndex}`,
"a proof that leads to the root");let s=await tu(e,t,o);if(!(s.size===t.treeSize&&m(s.root,t.root))||t.proofIndex>=t.treeSize){
let l=`index ${t.proofIndex} of ${t.treeSize}`;throw r("the proof is not for the checkpoint's tree",l,`a proof for a tre\
e of ${s.size}`)}let c=`{"body":"${ge(t.body)}","integratedTime":${t.integratedAt},"logID":"${o.id}","logIndex":${t.index}\
}`;if(t.promise.length&&!await o.signed(t.promise,k(c)))throw r("the log's promise does not verify",`entry ${t.index}`,"\
one by the log's key");if(!t.promise.length&&t.kind===Zr&&t.index!==t.proofIndex)throw r("the entry has two indices",`${t.
index}`,`${t.proofIndex}`);if(!await(t.kind===He?nu(e,t):ru(e,t)))throw r("the log's entry is about something else","ano\
ther payload or signature","this bundle's");return o}async function ql(e){let[t,n]=[e.proofIndex,e.treeSize-1n];if(t>n)return!1;
let r=await p("SHA-256",A(Uint8Array.of(0),e.body));for(let o of e.hashes){if(n===0n)return!1;let i=(t&1n)===1n||t===n;for(r=
await p("SHA-256",A(Uint8Array.of(1),...i?[o,r]:[r,o]));i&&(t&1n)===0n&&t!==0n;)[t,n]=[t>>1n,n>>1n];[t,n]=[t>>1n,n>>1n]}
return n===0n&&m(r,e.root)}var eu=/^(?<text>[^\n]+\n(?<size>[0-9]{1,19})\n(?<root>[^\n]+)\n(?:[^\n]+\n)*)\n(?<signatures>(?:\u2014 [!-*,-~]+ [A-Za-z0-9+/=]+\n)+)$/;
async function tu(e,t,n){let{text:r="",size:o="",root:i="",signatures:s=""}=eu.exec(t.checkpoint)?.groups??{},a=i?N(i):void 0,
c=s.split(`
`).slice(0,-1).map(l=>N(l.split(" ")[2]));if(!a||!c.every(l=>l&&l.length>On))throw S(e.where,"malformed checkpoint","ano\
ther text","a signed note");let d=c.find(l=>m(l.subarray(0,On),t.logId.subarray(0,On)));if(!d||!await n.signed(d.subarray(
On),k(r)))throw S(e.where,"the checkpoint does not verify",`${c.length} signatures`,"one by the log's key");return{size:BigInt(
o),root:a}}function Gs(e,t){let n={where:`${e.where}, entry of the log`,check:"publisher-signature",maxBytes:1048576};return new P(
D(t.body,n),n.where,n.check)}async function nu(e,t){let{payload:n,signature:r}=e.envelope,o=Gs(e,t),i=o.fields("spec"),s=i.
fields("payloadHash"),[a]=i.fieldsList("signatures",1,1),c=lt(e.certificates[0],"CERTIFICATE");return`${o.text("kind")} ${o.
text("apiVersion")}`===He&&s.text("algorithm")==="sha256"&&s.text("value")===f(await p("SHA-256",n))&&a.text("signature")===
ge(r)&&a.text("verifier",65536)===ge(k(c))}async function ru(e,t){let{payload:n,signature:r}=e.envelope,o=Gs(e,t),i=o.fields(
"spec").fields("hashedRekordV002"),[s,a]=[i.fields("data"),i.fields("signature")],c=a.fields("verifier"),d=await p("SHA-\
256",$e(te,n));return`${o.text("kind")} ${o.text("apiVersion")}`===Zr&&s.text("algorithm")==="SHA2_256"&&s.text("digest")===
ge(d)&&a.text("content")===ge(r)&&c.text("keyDetails")==="PKIX_ECDSA_P256_SHA_256"&&c.fields("x509Certificate").text("ra\
wBytes",65536)===ge(e.certificates[0])}var[ou,iu,su]=["3003020100","020103","020101"],[au,Ys]=["1.2.840.113549.1.7.2","1.2.840.113549.1.9.16.1.4"],cu=20,du="1.\
2.840.113549.1.9.4",fu="1.2.840.113549.1.9.3",zs={"2.16.840.1.101.3.4.2.1":"SHA-256","2.16.840.1.101.3.4.2.2":"SHA-384",
"2.16.840.1.101.3.4.2.3":"SHA-512"};async function Xs(e,t,n,r){let o=(g,h,b)=>S(r,`timestamp: ${g}`,h,b),i=lu(e,o),{moment:s,
imprint:a,imprintHash:c}=uu(i.info,o),d=m(await p(c,t),a),l=m(await p(i.hash,i.info),i.infoDigest),u=await Promise.all(n.
timestampAuthorities.map(In));for(let g of u)if(d&&l&&Rn(g,s)&&hu(i,g)&&await gu(i,g))return s;throw o("no authority mad\
e it in its window",`a timestamp of ${s}`,"one by an authority of the root")}function lu(e,t){let n=Qr(t),[r,o]=n(B(e,t,
cu),w,2);if(f(r.encoding)!==ou)throw t("not granted","another status","granted");let[i,s]=n(o,w,2),[a]=n(s,Y(0),1),c=[...n(
a,w)],[d,l,u]=c.splice(0,3),g=c[0]?.tag===Y(0)?c.shift().children.map(({encoding:ae})=>ae):[],[h]=n(c.shift(),ee,1),[b,$]=n(
u,w,2),[K]=n($,Y(0),1),[L,xe,Le,he,no,Ve,...ba]=n(h,w),wa=[[d,L].map(ae=>ae&&f(ae.encoding)).join(),K.tag,xe?.tag,he?.tag,
Ve?.tag],xa=[iu,su,U,w,Y(0),U],ro=[i,b].map(ae=>R(ae,t)).join();if(wa.join()!==xa.join()||ro!==[au,Ys].join()||c.length||
ba.length)throw t("another structure",ro,"signed data around a TSTInfo");let oo=Js(he,du,t),[Ea]=n(l,ee,1).map(({encoding:ae})=>m(
ae,Le.encoding)),[Mn]=n(no,w,1).map(ae=>Ue[R(ae,t)]),Sa=Js(he,fu,t);if(!Ea||Mn?.by!=="EC"||Mn.hash!==Zs(Le,t)||oo.tag!==
U||R(Sa,t)!==Ys)throw t("another structure","other attributes","a digest of a TSTInfo");return{info:K.content,infoDigest:oo.
content,hash:Mn.hash,certificates:g,signer:xe.encoding,attributes:A(Uint8Array.of(ee),he.encoding.subarray(1)),signature:Ve.
content}}function uu(e,t){let n=Qr(t),[r,o,i,s,a]=n(B(e,t),w),[c,d]=n(i,w,2),l=String.fromCharCode(...a?.content.subarray(
0,32)??[]),u=/^([0-9]{14})(\.[0-9]+)?Z$/.exec(l),g=[r?.tag,o?.tag,s?.tag,a?.tag,d.tag].join(),h=u&&g===[j,M,j,Xe,U].join(),
[b,$,K,L,xe,Le]=[0,4,6,8,10,12].map(Ve=>Number(l.slice(Ve,Ve===0?4:Ve+2))),he=h?ft(b,$,K,L,xe,Le):void 0;if(he===void 0)
throw t("another structure",g,"a TSTInfo");return{moment:he+ +`0${u[2]??""}`,imprint:d.content,imprintHash:Zs(c,t)}}function hu({
signer:e,certificates:t},{chain:n}){let[r]=n,o=r?.fields.find(({tag:a})=>a===j)?.encoding;if(!r||!o||!m(e,Q(w,A(r.issuer,
o))))return!1;let i=a=>m(a,r.der),s=a=>n.some(c=>m(a,c.der));return t.length===0||t.some(i)&&t.every(s)}async function gu(e,{
chain:[t]}){if(!t||!("curve"in t.key))return!1;let n={spki:t.spki,algorithm:`ECDSA ${t.key.curve}`};return W(n,e.signature,
e.attributes,e.hash)}function Js(e,t,n){let r=Qr(n),o=e.children.filter(i=>R(r(i,w,2)[0],n)===t);if(o.length!==1)throw n(
"another structure",`${o.length} attributes ${t}`,"one");return r(o[0].children[1],ee,1)[0]}function Zs(e,t){let[n,r]=e.
children,o=r===void 0||f(r.encoding)==="0500",i=n&&o&&e.children.length<=2?zs[R(n,t)]:void 0;if(!i)throw t("another hash",
f(e.encoding.subarray(0,16)),Object.values(zs).join(" or "));return i}function Qr(e){return(t,n,r)=>{let o=t?.tag===n?t.
children:void 0;if(o&&(r===void 0||o.length===r))return o;throw e("another structure",`tag ${t?.tag??"of nothing"}`,`tag\
 ${n}`)}}var Qs=300;async function Wr(e,t,n){let{where:r}=e,o=e.entry,i=await mu(e,o,n),s=await yu(e),c=(await Promise.all(i.map(
u=>pu(s,n,u))))[0];await Ls(s,c,n,t+Qs);let d=await js(e,o,n),l=Ks(s);for(let u of i){if(u>t+Qs)throw S(r,"the signature\
 is dated in the future",`${u}`,`${t}`);if(!Rt(d.window,u))throw S(r,"the log's key was not valid then",`${u}`,"a moment\
 in its window")}if(!("curve"in s.key)||s.key.curve!=="P-256")throw new T("a key of another curve");return await rt(e,{spki:s.
spki,algorithm:"ECDSA P-256"}),{method:e.method,lines:l}}async function mu(e,t,n){let{where:r,stamps:o,envelope:i}=e,s=t.
promise.length&&t.integratedAt?[t.integratedAt]:[];if(s.length&&t.kind!==He)throw S(r,"a promise for such an entry",t.kind,
He);if(new Set(o.map(f)).size!==o.length)throw S(r,"two equal timestamps","two","one");let a=await Promise.all(o.map(c=>Xs(
c,i.signature,n,r)));if(s.length+a.length)return[...s,...a];throw S(r,"nobody vouches for a time","no promise and no tim\
estamp","one of them")}async function yu(e){let{where:t}=e,n=await ot(e.certificates[0],t,[Pn]).catch(o=>{throw o instanceof
C?S(t,o.problem,o.got,o.wanted):o});if((n.usage??0)&An&&n.purposes?.includes(Cn))return n;throw S(t,"the certificate may\
 not sign","another purpose","digitalSignature and codeSigning")}async function pu(e,t,n){let r=e.begins<=n&&n<=e.ends,o=await Promise.
all(t.certificateAuthorities.map(In));for(let s of o){let[a]=s.chain;if(r&&a&&Rn(s,n)&&await bu(e,a))return a}let i=`no \
CA of the trusted root was valid at ${n} and issued the certificate`;throw S(e.where,"the certificate was not valid then",
i,"a CA within its window")}async function bu(e,t){try{return await kn(e,t),!0}catch(n){if(n instanceof C)return!1;throw n}}var Ws=16384,qs="-----BEGIN ",ea="-----END PUBLIC KEY-----",wu=/^[ \t-\r]+|[ \t-\r]+$/g,ta="one PEM block PUBLIC KEY: EC\
DSA on P-256, P-384 or P-521";async function na(e,t){if(e.length>Ws)throw $n(t,`${e.length} bytes`,`at most ${Ws} bytes`);
let n=X(e),r=n.split(qs).length===2,o=n.slice(n.indexOf(qs),n.lastIndexOf(ea)+ea.length).replaceAll(`\r
`,`
`),i=r?N(o.split(`
`).slice(1,-1).join("")):void 0;if(!i?.length)throw $n(t,"no such block, or a malformed one",ta);let s=lt(i,"PUBLIC KEY");
if(`${o}
`!==s)throw $n(t,"another encoding of a key","the canonical PUBLIC KEY block");let a=Pe(i);if(!a||a==="Ed25519")throw $n(
t,"another kind of key",ta);return{key:{spki:i,algorithm:a},pem:s,line:`key ${f(await p("SHA-256",i))}`}}async function ra(e,t){
let n=f(await p("SHA-256",k(t.pem)));if(e.keyHint&&e.keyHint!==n)throw S(e.where,"the bundle names another key",e.keyHint,
`${n}, the hint of the key given`);if(e.rawKey.length&&X(e.rawKey).replace(wu,"")!==t.pem.trim())throw S(e.where,"the bu\
ndle holds another key","another key",t.line);return await rt(e,t.key),{method:e.method,lines:[t.line]}}function $n(e,t,n){
return y("publisher-signature","not an acceptable publisher's key",e,t,n)}var Nn="publisher-signature",xu="https://model_signing/signature/v1.0",qr=".",eo={sha256:32,blake2b:64,blake3:32},Eu=25e4,
oa=1024,Su=4136,Au=/^(.*):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})$/su,Bu=/[*?[\\]|(?:^|\/)\.{0,2}(?:\/|\n?$)/u;async function to(e,t){
let n=D(e,{where:t,check:Nn,maxBytes:Sn,wholeFloats:!0}),r=new P(n,t,Nn,"payload");r.constant("_type","https://in-toto.i\
o/Statement/v1"),r.constant("predicateType",xu);let o=r.fieldsList("subject",1,1)[0];o.text("name");let i=o.fields("dige\
st"),s=i.hexBytes("sha256",32),a=r.fields("predicate"),c=a.fields("serialization"),{algorithm:d,shardSize:l}=vu(c),g=a.fieldsList(
"resources",1,Eu).map(b=>ku(b,d,l,t));for(let b of[i,o,c,a,r])b.finish();await Cu(r,s,g);let h=new Set(g.map(b=>b.path));
return Tu(r,t,g,[...h]),l!==null&&Ru(r,g,l),{parts:g,algorithm:d,inShards:l!==null,root:s,payloadDigest:await p("SHA-256",
e),paths:h}}function vu(e){let t=e.text("method");if(t!=="files"&&t!=="shards")throw e.error("method","unknown value",t,
"files or shards");let n=e.text("hash_type");if(!Object.hasOwn(eo,n))throw e.error("hash_type","unknown value",n,Object.
keys(eo).join(" or "));if(e.value("allow_symlinks")!==!1)throw e.error("allow_symlinks","links are not allowed","another\
 value","false");let r=e.has("ignore_paths")?e.value("ignore_paths"):[];if(!Array.isArray(r)||r.length>oa)throw e.error(
"ignore_paths","not a list","another value",`at most ${oa}`);if(r.some(o=>typeof o!="string"||Bu.test(o)))throw e.error(
"ignore_paths","not a path","another value","relative paths without dot segments and wildcards");return{algorithm:n,shardSize:t===
"shards"?e.integer("shard_size",1n):null}}function ku(e,t,n,r){let o=e.text("name",Su);e.constant("algorithm",t);let i=e.
hexBytes("digest",eo[t]);if(e.finish(),n===null)return{path:ia(o,r),digest:i,start:0n,end:null};let s=Au.exec(o);if(!s)throw e.
error("name","not the name of a shard",o,"PATH:START:END");return{path:ia(s[1],r),digest:i,start:BigInt(s[2]),end:BigInt(
s[3])}}function ia(e,t){return e===qr?e:rn(e,Nn,t,!0)}async function Cu(e,t,n){let r=n[0].digest.length,o=new Uint8Array(
r*n.length);n.forEach((s,a)=>o.set(s.digest,a*r));let i=await p("SHA-256",o);if(!m(i,t))throw e.error("subject[0].digest\
.sha256","not the digest of the resources",f(t),f(i))}function Tu(e,t,n,r){let o=n.map(a=>a.end===null?a.path:`${a.path}\
:${a.start}:${a.end}`);if(new Set(o).size!==o.length)throw e.error("predicate.resources","a name occurs twice","the same\
 twice","each name once");if(r.includes(qr)&&r.length>1)throw e.error("predicate.resources","not a path",qr,"names of fi\
les");if(on(r,Nn,t),sa(o,me)||sa(n,Iu))return;throw e.error("predicate.resources","the names are out of order","another \
order","by code point, or by path component")}function sa(e,t){return e.every((n,r)=>r===0||t(e[r-1],n)<=0)}function Iu(e,t){
let[n,r]=[e.path.split("/"),t.path.split("/")];for(let o=0;o<Math.min(n.length,r.length);o++){let i=me(n[o],r[o]);if(i!==
0)return i}return n.length-r.length||aa(e,t)}function aa(e,t){return e.start<t.start?-1:+(e.start>t.start)}function Ru(e,t,n){
let r=new Map;for(let o of[...t].sort(aa)){let i=o.end??0n;if(!(o.start===(r.get(o.path)??0n)&&o.start%n===0n)||i<=o.start||
i-o.start>n){let a=`shards of ${n} bytes that follow each other`;throw e.error("predicate.resources","the shards have ga\
ps",`${o.path}:${o.start}:${i}`,a)}r.set(o.path,i)}}var Dn="model.sig",Ke="publisher-signature",it="publisher-identity",ca={key:["key"],certificate:["certificate","authorit\
y"],sigstore:["sigstore","workflow"]};async function da(e,t,n,r,o=zr){let i=Nu(t),s=e.get(oe);if(!s){i===void 0&&Du(e);for(let a of[
Ke,it])r.notChecked(a,"no OpenSSF signing bundle");return}try{let a=await Pu(Vr(s,oe),e,t,i,n,o);return Ou(r,a),a}catch(a){
if(!(a instanceof T))throw a;for(let c of[Ke,it])r.notChecked(c,`not in a browser: ${a.message}`);return}}async function Pu(e,t,n,r,o,i){
let s=await $u(e,t.get(De),r,o,i),a=await to(e.envelope.payload,oe),c=Er(s,r,oe),d=n.files.map(({path:h,size:b})=>[h,b]),
l=[...t].map(([h,b])=>[h,BigInt(b.length)]);kr(a,new Map([...d,...l])),await Di(a,t);let u=BigInt(t.get(O)?.length??0),g=Br(
a,new Map([...d,[O,u]]));return r!==void 0&&vr(g,oe),{signer:s,identity:c,isNamed:r!==void 0,signed:a,coverage:g}}function Ou(e,{
identity:t,isNamed:n,coverage:r}){let o=Bt(r);if(n){e.passed(it,t,"the publisher whom the manifest names"),e.passed(Ke,o,
"genuine, over every file and the manifest");return}e.notChecked(it,`signed by ${t}, but the manifest names no publisher`),
e.notChecked(Ke,`genuine, over ${o}, but the manifest names no publisher`)}async function $u(e,t,n,r,o){let{method:i}=e,
s=`a signature by the method ${i}`;if(n!==void 0&&!ca[i].includes(kt(n)))throw _(it,"another kind of signer than the one\
 whom the manifest names",oe,s,n);if(t===void 0==(i==="key"))throw y(Ke,"the file goes with signatures by the method key\
, and only with these",De,t?s:"no such file",t?"no such file":"the publisher's public key");let a=t&&await na(t,De);return a?
ra(e,a):i==="certificate"?Yr(e,n,r):Wr(e,r,o)}function Nu({publisher:e}){if(!e)return;let t=as(e,`${O}, internalParamete\
rs.publisher`),n=Object.values(ca).flat();if(n.includes(kt(t)))return t;let r=`an identity that begins with ${n.join(", ")}`;
throw y(it,"no signature can prove this publisher",O,t,r)}function fa(e,{publisher:t}){if(!t||e.has(oe))return;let n="th\
e manifest names a publisher, whose signature is not there yet";throw new C("incomplete",n,Ke,oe,"no such file",`a signa\
ture by ${t}`)}function Du(e){if(!e.has(De))return;throw y(Ke,"the release has a publisher's key and no signature",De,`n\
o ${oe}`,"both files or neither")}async function la(e,t,n,r=zr){let o=Vr(e,Dn);if(o.method==="key")throw new T("the bund\
le names a key and does not hold it");let s=await(o.method==="sigstore"?Wr(o,n,r):Yr(o,void 0,n)),a=await to(o.envelope.
payload,Dn),c=Er(s,void 0,Dn);kr(a,t);let d=Br(a,t);return vr(d,Dn),{signer:s,identity:c,isNamed:!0,signed:a,coverage:d}}var Mu="the policy's rule is not judged in a browser",_u=[["smt",16n],["migrate_ma",18n],["debug",19n],["single_socket",
20n],["cxl_allow",21n],["mem_aes_256_xts",22n],["rapl_dis",23n],["ciphertext_hiding",24n],["page_swap_disable",25n]],Fu=[
["smt",0n],["tsme",1n],["ecc",2n],["rapl_dis",3n],["ciphertext_hiding",4n],["alias_check_complete",5n],["iommu_write_saf\
e",6n],["tio",7n]];function ha(e){let{report:t}=e,n=e.chipId?`chip ${f(e.chipId)}`:`no chip id, ${e.cspId??"masked by th\
e host"}`;return[ue("guest-policy",`${et(t.policy)}: ${ua(t.policy,_u)}`),ue("platform-info",`${et(t.platformInfo)}: ${ua(
t.platformInfo,Fu)}`),Uu(t.vmpl),ue("tcb-floor",`reported ${pe(e.reportedTcb)}`),ue("tcb-consistency",`current ${pe(e.currentTcb)}\
, committed ${pe(e.committedTcb)}`),ue("mitigations",Hu(e)),ue("measurement",`measurement ${f(t.measurement)}`),ue("host\
-data",`host_data ${f(t.hostData)}`),ue("id-key",`id_key_digest ${f(t.idKeyDigest)}, guest_svn ${t.guestSvn}`),ue("chip-\
allow-list",n)]}function ue(e,t){return{check:e,outcome:"not-checked",got:`${t}; ${Mu}`,wanted:""}}function Uu(e){if(e!==
mr)return ue("vmpl",`VMPL ${e}`);let[t,n]=["a report that the host asked for","one that the guest asked for"];return{check:"\
vmpl",outcome:"failed",got:t,wanted:n}}function Hu({report:{version:e,launchMitVector:t,currentMitVector:n}}){return t===
void 0||n===void 0?`report version ${e} has no mitigation vectors`:`launch ${et(t)}, current ${et(n)}`}function ua(e,t){
return t.filter(([,n])=>e>>n&1n).map(([n])=>n).join(", ")||"no bit on"}async function ga(e,t){let n=new Ge(t.onFinding);return n.guard(async()=>{let r=cn(e),o=await Ku(r,t.at,n),i=await Vu(o,
r.key,n),s=await ju(r,o,i,n),a=r.gpus.size>0?await Ji(r.gpus,i,t.at,n):[],c=await da(r.provenance,s,t.at,n);Gu(n),fa(r.provenance,
s);let d=await Yu(s,c,t,n);n.notChecked("lineage","the record's parents are shown, and not judged again");let{record:l,kept:u={}}=t;
l?await ps(l,u,{claims:o,manifest:s,modelDigest:d},n):n.notChecked("registry-record","no record was given");let g=o.rootKind===
"simulator";return{findings:n.findings(),claims:o,manifest:s,modelDigest:d,gpus:a,signature:c,isSimulated:g}})}async function Ku(e,t,n){
let r=Wt(e.vek,e.chain,e.crl),o=`${r.vek.kind}, two issuers${r.crl?", CRL":", no CRL"}`;n.passed("endorsements-format",o,
"strict DER with AMD's extensions");let i=St(e.report.data,e.report.where),a=`version ${i.version===4?"4":"2, 3 or 5"}, \
reserved bytes zero`;n.passed("report-format",`version ${i.version}, 1184 bytes`,a);let c=await Oi(r,[...ti,...ni],t);Lu(
c,n);let d=$i(c,i);n.passed("product-line",c.line,"chain, certificate and processor agree");let l=await Ni(d);n.passed("\
vek-match",`${l.vekKind}, ${pe(l.reportedTcb)}`,"the chip and TCB the report names");let u=f(await p("SHA-256",i.signed));
n.passed("report-signature",`report ${u.slice(0,16)}\u2026`,"ECDSA P-384 by the VEK");for(let g of ha(l))n.add(g);return l}
function Lu({line:e,rootKind:t,at:n,revocation:r,endorsements:{crl:o}},i){let s=t==="simulator"?" (SIMULATED: its keys a\
re public, so this proves no hardware)":"";i.passed("vek-chain",`${t} root of ${e}${s}`,"a pinned root");let a=nt(n).replace(
"T"," ");i.passed("vek-validity",`all valid at ${a}`,"every certificate in its window"),o&&r==="not revoked"?i.passed("v\
ek-revocation",`CRL no. ${o.number}`,"issuer not in a current CRL"):i.notChecked("vek-revocation",`CRL ${r}`)}async function Vu(e,t,n){
let r=Vt(t,Ne),o=await Ri(e.report.reportData,r);return n.passed("key-binding",`REPORT_DATA is ${o} of the key`,"all 64 \
bytes"),r}async function ju(e,t,n,r){let o=await No(Yt(e.envelope),n);r.passed("manifest-signature",`signed by the ${n.algorithm}\
 key of the VM`,"the bound key's signature");let i=await ts(o);ns(i,await p("SHA-256",t.report.signed));let s=i.reportDigest?
"":", no report named",a=`${i.name} ${i.version}, ${i.files.length} files${s}`;return r.passed("manifest-format",a,"in-t\
oto Statement v1 with SLSA provenance v1"),i}function Gu(e){let t=e.findings().find(({outcome:r})=>r==="failed");if(!t)return;
let n="every policy refuses the evidence";throw new C("refused",n,t.check,"evidence",t.got,t.wanted)}async function Yu(e,t,n,r){
let o=e.files.filter(({sha256:c})=>c).map(({path:c})=>c),i=t?vt(t.signed).keys():[],s=await n.hashFiles?.(e,new Set([...o,
...i]))??[];if(s.length>0){let c=os(e,s,r);if(t&&gn(t.signed,s),c)return At(s)}else{let c="drop the model's files on the\
 page to compare them";r.notChecked("file-set",c),r.notChecked("file-digests",c)}let a=e.files.flatMap(({path:c,size:d,fsverity:l})=>l?
[{path:c,size:d,fsverity:l}]:[]);return a.length===e.files.length?At(a):void 0}var zu="no confidential hardware: the release has only a signature",Ju="no manifest: the signature names the files",Xu="\
00".repeat(32);async function ma({bundle:e,sizes:t},n){let r=new Ge(n.onFinding);return r.guard(async()=>{let o=await la(
e,t,n.at),i=vt(o.signed);if(!i.size)throw new T("the files are signed in shards, or by a hash that browsers do not have");
Zu(o),r.passed("file-set",`${t.size} files`,"the files that the signature covers, and none besides");let s=await n.hashFiles(
new Set(i.keys()));gn(o.signed,s);let a=f(await At(s));return Qu(r,o,a),await Wu(n.record,n.kept,o,a,r),{findings:r.findings(),
isSimulated:!1}})}function Zu({coverage:{allowed:e}}){let[t]=e;if(t!==void 0)throw x("file-set","the signature does not \
cover the file; take it out of the folder",t,"one more file","none")}function Qu(e,{identity:t,coverage:n},r){let o=ce.indexOf(
"manifest-format");for(let i of ce.slice(0,o))e.notChecked(i,zu);for(let i of["manifest-format","manifest-signature"])e.
notChecked(i,Ju);e.passed("file-digests",`model digest ${r.slice(0,16)}\u2026`,"the signed digests"),e.passed("publisher\
-signature",Bt(n),"genuine, over every file"),e.passed("publisher-identity",t,"the signer"),e.notChecked("lineage","the \
signature names no ancestors")}async function Wu(e,t,{identity:n,signed:r},o,i){Hr(e,{manifest_digest:f(r.payloadDigest),
model_digest:o,report_digest:Xu,publisher_identity:await xn(n)}),await Ur(e,t,"the record names these files and this sig\
ner",i)}function qu(e){try{let{root:t,leaf:n,record:r}=_t(e,"proof");return{root:f(t),leaf:n,record:r.fields}}catch(t){if(t instanceof
C)return{problem:t.message};throw t}}async function eh(e){try{let t=cn(e),n=await Ei(t);return{whole:n,endorsed:Si(n),intermediate:await en(
t)}}catch(t){if(t instanceof C)return{problem:t.message};if(t instanceof Ee)return{problem:`this browser lacks something\
: ${t.message}`};throw t}}function th({evidence:e,files:t,at:n,record:r,kept:o},i){let s=(a,c)=>pa(t,c,i);return ya(ga(e,
{at:n,record:r,kept:o,onFinding:i.onFinding,hashFiles:s}))}function nh({bundle:e,files:t,at:n,record:r,kept:o},i){let s=new Map(
[...t].map(([c,{size:d}])=>[c,BigInt(d)])),a=c=>pa(t,c,i);return ya(ma({bundle:e,sizes:s},{at:n,record:r,kept:o,onFinding:i.
onFinding,hashFiles:a}))}async function ya(e){try{let{findings:t,isSimulated:n}=await e;return{kind:"accepted",findings:t,
isSimulated:n}}catch(t){if(t instanceof Ee)return{kind:"undecided",why:`this browser lacks something: ${t.message}`};if(t instanceof
T)return{kind:"undecided",why:`not in a browser: ${t.message}`};if(!(t instanceof C))throw t;let{kind:n,check:r,problem:o,
where:i,got:s,wanted:a,findings:c}=t;return n==="incomplete"?{kind:"undecided",why:`${i}: ${o}`}:{kind:"refused",check:r,
problem:o,where:i,got:s,wanted:a,findings:c}}}async function pa(e,t,n){if(e.size===0)return[];let r=[...e].map(([c,d])=>({
path:c,file:d,withSha256:t.has(c)})),o=r.reduce((c,{file:d})=>c+d.size,0),i=0,s=n.startWorker(),a=new Promise((c,d)=>{n.
signal.addEventListener("abort",()=>d(n.signal.reason),{once:!0})});try{return await Promise.race([Ii(r,c=>n.onBytes(i+=
c,o),s),a])}finally{s?.terminate()}}return Ta(rh);})();
