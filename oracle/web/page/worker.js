"use strict";(()=>{var X=Array.from({length:256},(n,t)=>t.toString(16).padStart(2,"0")),Z=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}),
J=new TextDecoder("windows-1252"),Q=new TextEncoder;function O(n){if(n.length%2!==0||!/^[0-9a-f]*$/.test(n))return;let t=new Uint8Array(n.length/2);for(let e=0;e<t.length;e++)
t[e]=Number.parseInt(n.slice(2*e,2*e+2),16);return t}function g(...n){let t=new Uint8Array(n.reduce((r,o)=>r+o.length,0)),e=0;for(let r of n)t.set(r,e),e+=r.length;return t}var S=class extends Error{constructor(e,r,o,i,a,u){super(`${i}: ${o}: ${r}: got ${a||"nothing"}, wanted ${u||"nothing"}`);
this.kind=e;this.problem=r;this.check=o;this.where=i;this.got=a;this.wanted=u}kind;problem;check;where;got;wanted;static name="\
CheckError";name="CheckError";findings=[]},b=class extends Error{static name="UnsupportedError";name="UnsupportedError"};
function C(n,t,e,r,o){return new S("malformed",t,n,e,r,o)}var w=n=>O(n),ue=[{algorithm:"ECDSA P-256",size:32,prefix:w("3059301306072a8648ce3d020106082a8648ce3d03010703420004")},{
algorithm:"ECDSA P-384",size:48,prefix:w("3076301006072a8648ce3d020106052b8104002203620004")},{algorithm:"ECDSA P-521",size:66,
prefix:w("30819b301006072a8648ce3d020106052b810400230381860004")},{algorithm:"Ed25519",size:32,prefix:w("302a300506032b6\
570032100")}],fe={"P-256":{prime:2n**256n-2n**224n+2n**192n+2n**96n-1n,b:0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn},
"P-384":{prime:2n**384n-2n**128n-2n**96n+2n**32n-1n,b:0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn},
"P-521":{prime:2n**521n-1n,b:0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n}};var U=2n**255n-19n,D=0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,le=[0n,1n,U-1n,D,U-D];var ye=16*1024;async function P(n,t){return new Uint8Array(await _().digest(n,t))}function _(){let n=globalThis.crypto.subtle;if(n)return n;
throw new b("this page has no WebCrypto: open it over https, or from 127.0.0.1")}var c=4096,y=32,k=4*1024*1024,H=256;function K(n){let t=async(e,r)=>new Uint8Array(await n.slice(e,r).arrayBuffer());return{
size:n.size,read:t}}async function I(n,t=()=>{}){let e=new Uint8Array(y*Math.ceil(n.size/c)),r=F(n,0);for(let o=0;o<n.size;o+=
k){let i=await r;r=F(n,o+k),r.catch(()=>{}),e.set(await T(i),o/c*y),t(i.length)}for(;e.length>y;)e=await T(e);return Y(n.
size,e.length?e:new Uint8Array(y))}async function F(n,t){let e=Math.min(t+k,n.size);if(t>=e)return new Uint8Array;let r=await n.
read(t,e);if(r.length===e-t)return r;throw C("file-set","the file changed while it was read","file",`${r.length} bytes`,
`${e-t}`)}async function T(n){let t=new Uint8Array(y*Math.ceil(n.length/c));for(let e=0;e<n.length;e+=H*c){let r=Math.min(
e+H*c,n.length),o=[];for(let i=e;i<r;i+=c)o.push(P("SHA-256",L(n,i)));t.set(g(...await Promise.all(o)),e/c*y)}return t}function L(n,t){
let e=n.subarray(t,t+c);if(e.length===c)return e;let r=new Uint8Array(c);return r.set(e),r}async function Y(n,t){let e=new Uint8Array(
256);return e.set([1,1,12,0]),new DataView(e.buffer).setBigUint64(8,BigInt(n),!0),e.set(t,16),P("SHA-256",e)}var x=64,R=q(64),V=Uint32Array.from(R,n=>Math.cbrt(n)%1*2**32),W=Uint32Array.from(R.slice(0,8),n=>Math.sqrt(n)%1*2**32),
B=class{#n=W.slice();#r=new Uint32Array(64);#e=new Uint8Array;#t=0;update(t){this.#t+=t.length;let e=this.#e.length?g(this.#e,
t):t,r=e.length-e.length%x,o=new DataView(e.buffer,e.byteOffset,e.length);for(let i=0;i<r;i+=x)this.#i(o,i);this.#e=e.slice(
r)}digest(){let t=this.#t,e=new Uint8Array(x-(t+8)%x+8);e[0]=128,new DataView(e.buffer).setBigUint64(e.length-8,BigInt(t)*
8n),this.update(e);let r=new DataView(new ArrayBuffer(32));return this.#n.forEach((o,i)=>r.setUint32(4*i,o)),new Uint8Array(
r.buffer)}#i(t,e){let r=this.#r;for(let s=0;s<16;s++)r[s]=t.getUint32(e+4*s);for(let s=16;s<64;s++){let[f,h]=[r[s-15],r[s-
2]],M=d(f,7)^d(f,18)^f>>>3,N=d(h,17)^d(h,19)^h>>>10;r[s]=r[s-16]+M+r[s-7]+N}let o=this.#n,[i,a,u,E,l,m,p,A]=o;for(let s=0;s<
64;s++){let f=A+(d(l,6)^d(l,11)^d(l,25))+(l&m^~l&p)+V[s]+r[s]|0,h=(d(i,2)^d(i,13)^d(i,22))+(i&a^i&u^a&u)|0;[A,p,m,l,E,u,
a,i]=[p,m,l,E+f|0,u,a,i,f+h|0]}[i,a,u,E,l,m,p,A].forEach((s,f)=>{o[f]=o[f]+s})}};function d(n,t){return n>>>t|n<<32-t}function q(n){
let t=[];for(let e=2;t.length<n;e++)t.every(r=>e%r!==0)&&t.push(e);return t}async function z({path:n,file:t,withSha256:e},r){let o=e?new B:void 0,i=K(t),a=await I(o?j(i,o):i,r);return{path:n,size:BigInt(
t.size),fsverity:a,sha256:o?.digest()}}function j(n,t){let e=Promise.resolve(),r=(o,i)=>{let a=e.then(()=>n.read(o,i));return e=
a.then(u=>t.update(u),()=>{}),a};return{size:n.size,read:r}}var v=n=>postMessage(n),$=Promise.resolve();addEventListener("message",({data:n})=>{$=$.then(()=>G(n))});async function G(n){
let{id:t}=n;try{let e=await z(n,r=>v({id:t,kind:"bytes",count:r}));v({id:t,kind:"digest",digest:e})}catch(e){v({id:t,kind:"\
failed",why:e instanceof Error?e.message:String(e)})}}})();
