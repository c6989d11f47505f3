// Product lines: pinned roots, CPUID ranges, the form of each line's VEK certificates, and its TCB layout.
// It equals verifier/snp/products.py and verifier/snp/tcb.py, which name the sources.

import { type Bytes, hexOf } from "./bytes.js";
import { malformed } from "./checks.js";

export type ProductLine = "Milan" | "Genoa" | "Turin";
export type RootKind = "amd" | "simulator";

export const LINES: readonly ProductLine[] = ["Milan", "Genoa", "Turin"];

/** The number that the contracts have for the product line that a certificate names: 1 Milan, 2 Genoa, 3 Turin. */
export function lineCodeOf(productName: string): number {
  const [name] = productName.split("-");
  const code = LINES.findIndex((line) => line === name) + 1;
  if (code === 0) throw malformed("product-line", "unknown product line", "vek", productName, LINES.join(", "));
  return code;
}

/** One acceptable ARK: the SHA-256 of its DER certificate, as AMD's key distribution service publishes it. */
export interface TrustedRoot {
  readonly line: ProductLine;
  readonly kind: RootKind;
  readonly arkSha256: string;
}

const root = (kind: RootKind, line: ProductLine, arkSha256: string): TrustedRoot => ({ line, kind, arkSha256 });

export const AMD_ROOTS: readonly TrustedRoot[] = [
  root("amd", "Milan", "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
  root("amd", "Genoa", "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
  root("amd", "Turin", "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
];

/** The simulator's private keys are public: anybody can make such evidence, and a record of it says `simulated`. */
export const SIMULATOR_ROOTS: readonly TrustedRoot[] = [
  root("simulator", "Milan", "152386dec633d422a7104fcb81de7baec2b1300ebaa4444106c7d542f3c40bcf"),
  root("simulator", "Genoa", "7f3fe4ef2c92d5cd40579cfe6d86c9b13a6a43e7216e9e39629f7cb04bd960f1"),
  root("simulator", "Turin", "f10e606a8fa25a01ef021521bbc8549cef213dabe778d1bf6574d2c109d1e3fa"),
];

/** The processor that a report of version 3 or later names. */
export interface Cpuid {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

const CPUID_LINES: readonly (readonly [family: number, first: number, last: number, line: ProductLine])[] = [
  [0x19, 0x00, 0x0f, "Milan"],
  [0x19, 0x10, 0x1f, "Genoa"],
  [0x19, 0xa0, 0xaf, "Genoa"],
  [0x1a, 0x00, 0x11, "Turin"],
];

/** The product line of a processor; undefined for a line that is not supported, such as Venice. */
export function lineOfCpuid({ family, model }: Cpuid): ProductLine | undefined {
  return CPUID_LINES.find(([of, first, last]) => of === family && first <= model && model <= last)?.[3];
}

export function describeCpuid(cpuid: Cpuid): string {
  return `${cpuidText(cpuid)} (${lineOfCpuid(cpuid) ?? "no supported line"})`;
}

export function cpuidText({ family, model, stepping }: Cpuid): string {
  const hex = (byte: number): string => `${byte.toString(16).padStart(2, "0")}h`;
  return `${hex(family)}/${hex(model)}/${stepping}`;
}

/** The values that AMD's extensions must have in a line's VEK certificates. */
export interface VekForm {
  readonly productNames: readonly string[];
  readonly structVersion: number;
  readonly hwidBytes: number;
  readonly hasSpl4: boolean;
}

export const VEK_FORMS: { readonly [line in ProductLine]: VekForm } = {
  Milan: { productNames: ["Milan", "Milan-B0", "Milan-B1"], structVersion: 0, hwidBytes: 64, hasSpl4: true },
  Genoa: { productNames: ["Genoa"], structVersion: 0, hwidBytes: 64, hasSpl4: true },
  Turin: { productNames: ["Turin"], structVersion: 1, hwidBytes: 8, hasSpl4: false },
};

/** Security version numbers of the platform's firmware, 0 to 255 each, by component. Only Turin has `fmc`. */
export type Tcb = ReadonlyMap<string, number>;

const COMPONENTS = ["bootloader", "tee", "snp", "microcode", "fmc"];
const LEGACY: Tcb = new Map([["bootloader", 0], ["tee", 1], ["snp", 6], ["microcode", 7]]);
const TURIN: Tcb = new Map([["fmc", 0], ["bootloader", 1], ["tee", 2], ["snp", 3], ["microcode", 7]]);

/** Position of each component in the eight bytes of a TCB version. The other bytes must be zero. */
export const TCB_LAYOUTS: { readonly [line in ProductLine]: Tcb } = { Milan: LEGACY, Genoa: LEGACY, Turin: TURIN };

/** Splits eight bytes by the layout of `line`. Throws if a reserved byte is set (check `report-format`). */
export function parseTcb(data: Bytes, line: ProductLine, where: string): Tcb {
  const layout = TCB_LAYOUTS[line];
  const used = new Set(layout.values());
  if (data.some((byte, at) => byte !== 0 && !used.has(at))) {
    const wanted = "zero in every reserved byte";
    throw malformed("report-format", `reserved TCB bytes of ${line} are set`, where, hexOf(data), wanted);
  }
  return new Map([...layout].map(([name, at]) => [name, data[at]!]));
}

export function tcbText(tcb: Tcb): string {
  return COMPONENTS.filter((name) => tcb.has(name)).map((name) => `${name} ${tcb.get(name)}`).join(" ");
}
