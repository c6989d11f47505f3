// Moments: seconds since 1970 inside, RFC 3339 text in UTC at the edges.

/** RFC 3339 text in UTC, in whole seconds. */
export function timeText(seconds: number): string {
  return `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}

/** Seconds since 1970 of RFC 3339 text in UTC with up to six digits of a fraction; undefined for any other text. */
export function parseUtc(text: string): number | undefined {
  const found = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?Z$/.exec(text);
  if (!found || text.startsWith("0000")) return undefined;
  const [, day, time, fraction = ""] = found;
  const milliseconds = Date.parse(`${day}T${time}Z`);
  // Date.parse reads the 30th of February, and 24:00:00, as moments of the next day
  const exists = !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === `${day}T${time}.000Z`;
  return exists ? milliseconds / 1000 + Number(`0${fraction}`) : undefined;
}
