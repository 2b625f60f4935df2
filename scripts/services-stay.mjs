import './node-version.mjs';
import { startServices } from './services.mjs';

/** `npm run services`: starts MySQL and Redis for development and stays until Ctrl-C. */
try {
  const services = await startServices({ instanceName: 'stay' });
  console.log(`${services.describe}

  export DATABASE_URL='${services.databaseUrl}'
  export REDIS_URL='${services.redisUrl}'

Their data lasts until Ctrl-C.`);
  setInterval(() => {}, 2 ** 30);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}
