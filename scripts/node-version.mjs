// Imported first by every command, and written for old versions too: it is what they get to run.
const OLDEST_MAJOR = 20;
const OLDEST_MINOR = 19;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
  const needed = `${OLDEST_MAJOR}.${OLDEST_MINOR}`;
  console.error(
    `Sluice needs Node.js ${needed} or newer, and this is ${process.version}: https://nodejs.org/`,
  );
  process.exit(1);
}
