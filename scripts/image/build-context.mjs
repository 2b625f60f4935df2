/** What Docker sees of the repository: the part of its rules that our Dockerfile and .dockerignore use. Anything else is refused, never guessed. */

/** @typedef {{ sources: string[], destination: string }} Copy one COPY from the build context */

const supported = /^COPY(?: [\w./-]+){2,}$/;

/** @param {string} dockerfile @returns {Copy[]} those of the first stage, which is the one that compiles */
export function copiesOf(dockerfile) {
  const [, stage = ''] = dockerfile.split(/^FROM .*$/m);
  const lines = stage.split('\n').filter((line) => /^\s*(COPY|ADD)\b/i.test(line));
  return lines.map((line) => {
    if (!supported.test(line)) throw new Error(`Dockerfile: "${line}" is not understood`);
    const sources = line.split(' ').slice(1);
    const destination = /** @type {string} */ (sources.pop());
    return { sources, destination };
  });
}

/**
 * The last pattern that matches a path, or a folder above it, decides.
 * @param {string} dockerignore
 * @returns {(path: string) => boolean} whether a path of the repository reaches the build
 */
export function contextFilter(dockerignore) {
  const rules = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isLet: line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }));
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.isLet ?? true;
}

/** @param {string} text */
function toPattern(text) {
  if (!/^[\w./*-]+$/.test(text)) throw new Error(`.dockerignore: "${text}" is not understood`);
  const source = text
    .replace(/^\/|\/$/g, '')
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[part] ?? part.replaceAll('.', '\\.'))
    .join('');
  return new RegExp(`^${source}(?:/|$)`);
}
