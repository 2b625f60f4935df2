/** MJML to HTML, once per template version. Liquid passes through. Includes are refused: a template reads no files. */
import { limits } from './limits.ts';

export type MjmlResult =
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'invalid'; readonly errors: readonly MjmlError[] };

export interface MjmlError {
  readonly line?: number;
  readonly detail: string;
}

export async function compileMjml(source: string): Promise<MjmlResult> {
  const refused = findRefusals(source);
  if (refused.length > 0) return { kind: 'invalid', errors: refused };
  // Loaded when first needed: it is large, and the workers that render never need it.
  const { default: mjml2html } = await import('mjml');
  try {
    const { html, errors } = await mjml2html(source, options);
    if (errors.length === 0) return { kind: 'html', html };
    return {
      kind: 'invalid',
      errors: errors.map(({ line, message, tagName }) => toError(line, message, tagName)),
    };
  } catch (error) {
    return { kind: 'invalid', errors: [{ detail: error instanceof Error ? error.message : String(error) }] };
  }
}

const options = {
  validationLevel: 'soft',
  ignoreIncludes: true,
  keepComments: false,
  minify: false,
  beautify: false,
  useMjmlConfigOptions: false,
  // No web fonts fetched by the reader's program unless the template names them itself (mj-font).
  fonts: {},
};

/** What must not reach the compiler, which would read files or take long before it complains. */
function findRefusals(source: string): MjmlError[] {
  if (source.length > limits.mjmlLength) return [{ detail: `longer than ${limits.mjmlLength} characters` }];
  return [...source.matchAll(/<\s*mj-include\b/gi)].slice(0, 10).map((match) => ({
    line: source.slice(0, match.index).split('\n').length,
    detail: 'mj-include is not available: a template stands alone',
  }));
}

function toError(line: number | undefined, message: string, tagName: string | undefined): MjmlError {
  const detail = tagName ? `<${tagName}>: ${message}` : message;
  return line === undefined ? { detail } : { line, detail };
}
