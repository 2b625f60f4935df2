import { greetMysql, pingRedis } from './probe.mjs';

/**
 * A server that somebody named in the environment. It is used, never started or stopped.
 * @param {string} variable
 * @param {string} value
 * @param {'mysql' | 'redis'} kind
 * @returns {Promise<import('./mysql.mjs').RunningService>}
 */
export async function useExternal(variable, value, kind) {
  const url = parse(variable, value, kind);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (kind === 'mysql' ? 3306 : 6379);
  try {
    await (kind === 'mysql' ? greetMysql({ host, port }) : answerRedis({ host, port }, url));
  } catch (error) {
    const reason = /** @type {Error} */ (error).message;
    throw new Error(`${variable} names ${kind} at ${host}:${port}, which can't be used: ${reason}`);
  }
  return { url: value, description: `${variable} (${host}:${port})` };
}

/** @param {string} variable @param {string} value @param {'mysql' | 'redis'} kind */
function parse(variable, value, kind) {
  const protocols = kind === 'mysql' ? ['mysql:', 'mariadb:'] : ['redis:', 'rediss:'];
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !protocols.includes(url.protocol)) {
    throw new Error(`${variable} is not a URL that starts with ${protocols[0]}//`);
  }
  return url;
}

/** @param {import('./probe.mjs').Address} address @param {URL} url */
async function answerRedis(address, url) {
  const login = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  await pingRedis({ ...address, isTls: url.protocol === 'rediss:' }, login);
}
