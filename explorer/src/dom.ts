// The only place where elements are made. A string becomes a text node or the value of a harmless attribute, never
// markup, and every character in it that could deceive is escaped.

import { visible } from "./text.js";

export type Child = Node | string | number | null | undefined | false | readonly Child[];

/** No event handlers, no style, no address: `to`, `out` and `on` below are the ways to these. */
export interface Attributes {
  readonly class?: string | undefined;
  readonly id?: string;
  readonly role?: string;
  readonly type?: string;
  readonly name?: string;
  readonly value?: string;
  readonly for?: string;
  readonly title?: string;
  readonly scope?: string;
  readonly placeholder?: string;
  readonly datetime?: string;
  readonly tabindex?: string;
  readonly autocomplete?: string;
  readonly spellcheck?: string;
  readonly colspan?: string;
  readonly lang?: string;
  readonly [data: `data-${string}`]: string | undefined;
  readonly [aria: `aria-${string}`]: string | undefined;
  readonly hidden?: boolean;
  readonly open?: boolean;
  readonly disabled?: boolean;
  readonly multiple?: boolean;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAll(element, attributes);
  add(element, children);
  return element;
}

/** Numbers and words of a drawing. Colours come from classes. */
export function svg(tag: string, attributes: { readonly [name: string]: string | number } = {}, ...children: Child[]) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAll(element, attributes);
  add(element, children);
  return element;
}

export function add(parent: Node, children: Child): void {
  if (children === null || children === undefined || children === false) return;
  if (children instanceof Node) parent.appendChild(children);
  else if (typeof children === "object") for (const child of children) add(parent, child);
  else parent.appendChild(document.createTextNode(visible(String(children))));
}

export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren();
  add(parent, children);
}

export function on<E extends HTMLElement>(element: E, event: string, act: (event: Event) => void): E {
  element.addEventListener(event, act);
  return element;
}

/** A link within the page. `route` is made by `hrefOf`. */
export function to(route: string, attributes: Attributes, ...children: readonly Child[]): HTMLAnchorElement {
  const link = el("a", attributes, ...children);
  link.setAttribute("href", route.startsWith("#/") ? route : "#/");
  return link;
}

/** A link to elsewhere: only https, nothing about this page is told. Anything else stays text. */
export function out(address: string, ...children: readonly Child[]): HTMLElement {
  const shown = children.length > 0 ? children : [address];
  if (!isHttps(address)) return el("span", {}, ...shown);
  const link = el("a", { class: "out" }, ...shown, el("span", { class: "hidden" }, " (another site)"));
  link.href = address;
  link.rel = "noreferrer noopener";
  link.target = "_blank";
  return link;
}

/** A link to a document of the page's own server; anything else as `out`. */
export function served(address: string): HTMLElement {
  if (!/^\/[^/\\]/.test(address)) return out(address);
  const link = el("a", {}, el("code", {}, address));
  link.href = address;
  return link;
}

function isHttps(address: string): boolean {
  try {
    const { protocol, username, password } = new URL(address);
    return protocol === "https:" && username + password === "";
  } catch {
    return false;
  }
}

function setAll(element: Element, attributes: object): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : visible(String(value)));
  }
}
