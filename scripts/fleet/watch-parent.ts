/** A child of a dead parent is given to another: that is how its death is seen, however it died. */

const everyMs = 1_000;

export function watchParent(onDeath: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onDeath();
  }, everyMs);
  timer.unref();
}
