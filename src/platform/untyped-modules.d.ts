// What is used of a library that comes without types.

declare module 'cluster-key-slot' {
  /** The slot of a Redis Cluster that a key lies in, 0 to 16,383; of its hash tag, `{…}`, where it has one. */
  export default function keySlot(key: string): number;
}
