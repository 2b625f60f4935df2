/**
 * Loaded into every worker of the suite (`node --import`): a suite that was killed, however, leaves no worker that goes on sending. A child of a dead
 * parent is given to another; that is seen within a second.
 */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, 1_000).unref();
