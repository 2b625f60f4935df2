/** All rows of a listing, page by page, or why they can't be had, in words for a person. */

export type Listing<T> =
  | { readonly kind: 'rows'; readonly rows: readonly T[]; readonly hasMore: boolean }
  /** `isFinal`: trying again won't help. */
  | { readonly kind: 'failed'; readonly why: string; readonly isFinal: boolean };

/** A screen shows fewer; nobody reads more. */
const mostPages = 5;
const timeoutMs = 10_000;

export async function readRows<T>(url: URL, path: string, key: string): Promise<Listing<T>> {
  const rows: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < mostPages; page++) {
    const answer = await ask(pageUrl(url, path, cursor), key);
    if (answer.kind === 'failed') return answer;
    rows.push(...(answer.body.data as T[]));
    cursor = answer.body.next_cursor;
    if (cursor === null) break;
  }
  return { kind: 'rows', rows, hasMore: cursor !== null };
}

function pageUrl(url: URL, path: string, cursor: string | null): URL {
  const page = new URL(url.pathname.replace(/\/(v1\/?)?$/, '') + path, url);
  page.searchParams.set('page_size', '200');
  if (cursor !== null) page.searchParams.set('cursor', cursor);
  return page;
}

interface Body {
  readonly data: readonly unknown[];
  readonly next_cursor: string | null;
}

type Answer = { readonly kind: 'body'; readonly body: Body } | Extract<Listing<never>, { kind: 'failed' }>;

async function ask(url: URL, key: string): Promise<Answer> {
  try {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) return refused(url, response.status, await response.text());
    const body = (await response.json()) as Body;
    if (Array.isArray(body.data)) return { kind: 'body', body };
    return { kind: 'failed', why: `${url.origin} answers, but not as Sluice does`, isFinal: true };
  } catch (error) {
    return { kind: 'failed', why: `${url.origin} does not answer: ${causeOf(error)}`, isFinal: false };
  }
}

function refused(url: URL, status: number, text: string): Answer {
  const isFinal = status < 500 && status !== 429;
  const problem = detailOf(text);
  const why: Readonly<Record<number, string>> = {
    401: 'the key is not known: it is mistyped or revoked',
    403: `the key may not do this: ${problem}`,
    404: `there is no ${url.pathname} at ${url.origin}: is it Sluice, and of this release?`,
  };
  return { kind: 'failed', why: why[status] ?? `${url.origin} answers ${status}: ${problem}`, isFinal };
}

/** What a problem document says, or the beginning of whatever came instead. */
function detailOf(text: string): string {
  try {
    const { title, detail } = JSON.parse(text) as { title?: string; detail?: string };
    return detail ?? title ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message ? cause.message : error.message;
}
