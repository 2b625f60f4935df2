/** What a run is told by its environment; `npm run k6` fills it in. Sizes are small by default: a laptop's. */

/** Without a slash at the end. */
export const baseUrl = text('LOAD_URL', 'http://127.0.0.1:8080').replace(/\/+$/, '');
export const adminToken = text('LOAD_ADMIN_TOKEN', '');
/** Where all mail of the run goes. Addresses look like real people's: it must be a sink. */
export const smtp = { host: text('LOAD_SMTP_HOST', '127.0.0.1'), port: number('LOAD_SMTP_PORT', 2525) };

export function number(name: string, fallback: number): number {
  const value = Number(text(name, String(fallback)));
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name} must be a number above 0`);
  return value;
}

function text(name: string, fallback: string): string {
  return __ENV[name] || fallback;
}
