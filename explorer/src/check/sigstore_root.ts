// The trusted root of sigstore's public instance, which Python pins too (verifier/identity/sigstore_root.py).

import pinned from "../../../verifier/identity/sigstore_root_2026_11.json";
import { type Bytes, hexOf, parseBase64 } from "./bytes.js";
import { algorithmOf, digestOf, isSignedBy, type PublicKey } from "./key.js";
import { parseSigningCertificate, type SigningCertificate } from "./signing_certificates.js";

/** The members that are read of sigstore's TrustedRoot in JSON. The file is ours, so that nothing else is checked. */
export interface TrustedRootJson {
  readonly tlogs: readonly LogJson[];
  readonly ctlogs: readonly LogJson[];
  readonly certificateAuthorities: readonly AuthorityJson[];
  readonly timestampAuthorities: readonly AuthorityJson[];
}

interface WindowJson {
  readonly start: string;
  readonly end?: string;
}

interface LogJson {
  readonly publicKey: { readonly rawBytes: string; readonly validFor: WindowJson };
  readonly logId: { readonly keyId: string };
}

interface AuthorityJson {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  readonly validFor: WindowJson;
}

/** The seconds since 1970 in which a key counts, both ends included. */
interface Window {
  readonly start: number;
  readonly end: number;
}

export interface RootLog {
  readonly id: string;
  readonly spkiDigest: string;
  readonly window: Window;
  /** Whether the log's key made a signature. */
  signed(signature: Bytes, message: Bytes): Promise<boolean>;
}

export interface RootAuthority {
  readonly chain: readonly SigningCertificate[];
  readonly window: Window;
}

export const PINNED_ROOT: TrustedRootJson = pinned;

/** Finds logs with an id (hex) among those of the root. */
export async function findLogs(logs: readonly LogJson[], id: string): Promise<readonly RootLog[]> {
  const found = logs.filter(({ logId }) => hexOf(parseBase64(logId.keyId)!) === id);
  return Promise.all(found.map(({ publicKey }) => rootLog(id, publicKey)));
}

async function rootLog(id: string, { rawBytes, validFor }: LogJson["publicKey"]): Promise<RootLog> {
  const spki = parseBase64(rawBytes)!;
  const key: PublicKey = { spki, algorithm: algorithmOf(spki)! };
  return {
    id,
    spkiDigest: hexOf(await digestOf("SHA-256", spki)),
    window: windowOf(validFor),
    signed: (signature, message) => isSignedBy(key, signature, message),
  };
}

export async function rootAuthority({ certChain, validFor }: AuthorityJson): Promise<RootAuthority> {
  const parsed = certChain.certificates.map(({ rawBytes }) => parseSigningCertificate(parseBase64(rawBytes)!, "root"));
  return { chain: await Promise.all(parsed), window: windowOf(validFor) };
}

function windowOf({ start, end }: WindowJson): Window {
  return { start: Date.parse(start) / 1000, end: end === undefined ? Infinity : Date.parse(end) / 1000 };
}

export function isWithin({ start, end }: Window, moment: number): boolean {
  return start <= moment && moment <= end;
}

/** Whether an authority counts at a moment, and each of its certificates is valid then. */
export function wasValid({ chain, window }: RootAuthority, moment: number): boolean {
  return isWithin(window, moment) && chain.every(({ begins, ends }) => begins <= moment && moment <= ends);
}
