/** Ids made in the same second may collide (ids.ts): the primary key tells, and another id is made. */
import { isDuplicateKey } from './mysql.ts';

const maxTries = 5;

export async function insertWithNewId<Id>(
  makeId: () => Id,
  insert: (id: Id) => Promise<unknown>,
): Promise<Id> {
  for (let tries = 1; ; tries++) {
    const id = makeId();
    try {
      await insert(id);
      return id;
    } catch (error) {
      if (!isDuplicateKey(error) || tries === maxTries) throw error;
    }
  }
}
