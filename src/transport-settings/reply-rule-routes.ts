/**
 * `/v1/reply-rules`: a tenant's own, for its own transports. `/v1/platform/reply-rules`: the installation's, for its admin; they hold for all
 * transports, asked behind a tenant's own.
 */
import { AppError } from '../errors.ts';
import { assertIfMatch } from '../http/etag.ts';
import { type Access, defineRoute, json, type Route } from '../http/route.ts';
import { pageOf } from '../http/schemas.ts';
import { newId, type ReplyRuleId, type TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import { replyRules } from '../transports/reply-rules.ts';
import { explainReply } from './explain-reply.ts';
import {
  newReplyRule,
  replyRuleOut,
  replyRuleParams,
  replyRulePatch,
  ruleEtag,
  ruleTest,
  ruleVerdict,
  shippedRuleOut,
  showRule,
  showShipped,
  toFields,
  toInput,
} from './reply-rule-schemas.ts';
import {
  deleteReplyRule,
  findReplyRule,
  insertReplyRule,
  installation,
  listReplyRules,
  mostRules,
  type RuleOwner,
  type StoredReplyRule,
  updateReplyRule,
} from './reply-rule-store.ts';

export function replyRuleRoutes(db: Database): Route[] {
  const tenants: RulesOf = {
    ...{ db, collection: '/v1/reply-rules', tag: 'Reply rules', noun: 'ReplyRule', whose: 'a reply rule' },
    ...{ read: 'transports:read', write: 'transports:write', ownerOf: (tenantId) => tenantId },
  };
  return [shippedRoute(), ...routesOf(tenants)];
}

export function platformReplyRuleRoutes(db: Database): Route[] {
  return routesOf({
    ...{ db, collection: '/v1/platform/reply-rules', tag: 'Platform reply rules' },
    ...{ noun: 'PlatformReplyRule', whose: 'a reply rule of the installation' },
    ...{ read: 'admin', write: 'admin', ownerOf: () => installation },
  });
}

/** Whose rules a set of routes is about. */
interface RulesOf {
  readonly db: Database;
  readonly collection: string;
  readonly tag: string;
  readonly noun: string;
  readonly whose: string;
  readonly read: Access;
  readonly write: Access;
  readonly ownerOf: (tenantId: TenantId) => RuleOwner;
}

const etagHeader = { ETag: 'For If-Match' };
const withinTwoSeconds = 'Holds in running send workers within two seconds.';

function routesOf(rules: RulesOf): Route[] {
  return [
    testRoute(rules),
    createRoute(rules),
    listRoute(rules),
    getRoute(rules),
    changeRoute(rules),
    deleteRoute(rules),
  ];
}

function shippedRoute(): Route {
  return defineRoute({
    ...{
      method: 'get',
      path: '/v1/reply-rules/shipped',
      operationId: 'listShippedReplyRules',
      tag: 'Reply rules',
    },
    summary: 'List the shipped reply rules, in the order in which they are asked',
    description:
      'Behind a tenant’s own rules and the installation’s. The last two match every 4yz and 5yz. On one page.',
    access: 'transports:read',
    responses: { 200: { description: 'All of them', schema: pageOf(shippedRuleOut) } },
    async handle() {
      return json(200, { data: replyRules.map(showShipped), next_cursor: null });
    },
  });
}

function testRoute({ db, collection, tag, noun, read, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'post', path: `${collection}/test`, operationId: `test${noun}s`, tag },
    summary: 'Say which rule decides about a reply, and what happens',
    description: 'Sends nothing and changes nothing.',
    access: read,
    body: ruleTest,
    responses: { 200: { description: 'What the reply means', schema: ruleVerdict } },
    async handle({ tenantId, body }) {
      const own = await listReplyRules(db, ownerOf(tenantId));
      const installed = ownerOf(tenantId) === installation ? [] : await listReplyRules(db, installation);
      return json(200, explainReply(body, own, installed));
    },
  });
}

function createRoute({ db, collection, tag, noun, whose, write, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'post', path: collection, operationId: `create${noun}`, tag },
    summary: `Create ${whose}`,
    description: `${withinTwoSeconds} At most ${mostRules} of each owner.`,
    access: write,
    idempotent: true,
    body: newReplyRule,
    problems: ['conflict'],
    responses: {
      201: { description: 'The new rule', schema: replyRuleOut, headers: { ...etagHeader, Location: 'It' } },
    },
    async handle({ tenantId, body }) {
      const rule = await create(db, ownerOf(tenantId), toFields(body));
      const shown = showRule(rule);
      return json(201, shown, { Location: `${collection}/${shown.id}`, ...ruleEtag(rule) });
    },
  });
}

function listRoute({ db, collection, tag, noun, whose, read, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'get', path: collection, operationId: `list${noun}s`, tag },
    summary: `List ${whose.replace(/^a /, '').replace('rule', 'rules')}, in the order in which they are asked`,
    description: 'On one page.',
    access: read,
    responses: { 200: { description: 'All of them', schema: pageOf(replyRuleOut) } },
    async handle({ tenantId }) {
      const rules = await listReplyRules(db, ownerOf(tenantId));
      return json(200, { data: rules.map(showRule), next_cursor: null });
    },
  });
}

function getRoute({ db, collection, tag, noun, whose, read, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'get', path: `${collection}/{rule_id}`, operationId: `get${noun}`, tag },
    summary: `Get ${whose}`,
    access: read,
    params: replyRuleParams,
    responses: { 200: { description: 'The rule', schema: replyRuleOut, headers: etagHeader } },
    async handle({ tenantId, params }) {
      const rule = await get(db, ownerOf(tenantId), params.rule_id);
      return json(200, showRule(rule), ruleEtag(rule));
    },
  });
}

function changeRoute({ db, collection, tag, noun, whose, write, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'patch', path: `${collection}/{rule_id}`, operationId: `update${noun}`, tag },
    summary: `Change ${whose}`,
    description: withinTwoSeconds,
    access: write,
    ifMatch: true,
    params: replyRuleParams,
    body: replyRulePatch,
    responses: { 200: { description: 'The changed rule', schema: replyRuleOut, headers: etagHeader } },
    async handle({ tenantId, params, body, headers }) {
      const seen = await get(db, ownerOf(tenantId), params.rule_id);
      assertIfMatch(headers, seen.version);
      const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      if (!(await updateReplyRule(db, seen, toFields({ ...toInput(seen), ...given }))))
        throw new AppError('precondition_failed', { detail: 'It was changed at the same moment' });
      const rule = await get(db, seen.owner, seen.id);
      return json(200, showRule(rule), ruleEtag(rule));
    },
  });
}

function deleteRoute({ db, collection, tag, noun, whose, write, ownerOf }: RulesOf): Route {
  return defineRoute({
    ...{ method: 'delete', path: `${collection}/{rule_id}`, operationId: `delete${noun}`, tag },
    summary: `Delete ${whose}`,
    description: withinTwoSeconds,
    access: write,
    params: replyRuleParams,
    responses: { 204: { description: 'Deleted' } },
    async handle({ tenantId, params }) {
      if (!(await deleteReplyRule(db, ownerOf(tenantId), params.rule_id))) throw noSuchRule();
      return json(204);
    },
  });
}

async function create(
  db: Database,
  owner: RuleOwner,
  fields: Parameters<typeof insertReplyRule>[3],
): Promise<StoredReplyRule> {
  let isRoom = true;
  const id = await insertWithNewId(
    () => newId('replyRule'),
    async (candidate) => {
      isRoom = await insertReplyRule(db, owner, candidate, fields);
    },
  );
  if (!isRoom)
    throw new AppError('conflict', { detail: `There are ${mostRules} rules already: delete one first` });
  return get(db, owner, id);
}

async function get(sql: Sql, owner: RuleOwner, id: ReplyRuleId): Promise<StoredReplyRule> {
  const rule = await findReplyRule(sql, owner, id);
  if (!rule) throw noSuchRule();
  return rule;
}

function noSuchRule(): AppError {
  return new AppError('not_found', { detail: 'There is no such rule' });
}
