// prove.js: the part of the page that proves a release on chain. It is a script of its own, loaded once somebody asks for
// it. Its exports are in `globalThis.provenanceProve`.

export { offerProof } from "./prove/offer.js";
