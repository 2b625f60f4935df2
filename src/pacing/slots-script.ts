/**
 * The one Lua call of connection slots: all destinations of a process at once.
 *
 * In:  KEYS[1] when Redis was last seen empty, KEYS[2..] a hash per destination; ARGV[1] owner, ARGV[2] ms a lease lasts, ARGV[3] ms to hold back
 *      after a loss, then for each destination cap, wanted, held.
 * Out: how many connections the owner may hold, per destination.
 * Rows: owner -> "counted:wanted:until". `counted` is what the owner may hold, or still does: their sum never passes the cap, except by what was open
 *      when the cap was lowered or Redis lost its keys.
 *
 * Shares are max-min fair: who wants less than an equal part gets that, the others divide the rest. Where there are fewer slots than owners,
 * those that hold one keep it. Who holds more than its share is told so, and its slots count until they are closed.
 * After a loss nobody gets more than it holds until all have had time to say what that is.
 */
export const slotsScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local me, ttl = ARGV[1], tonumber(ARGV[2])
redis.call('SET', KEYS[1], now, 'NX')
local holdsBack = now - tonumber(redis.call('GET', KEYS[1])) < tonumber(ARGV[3])

local function share(cap, all)
  local owners = {}
  for _, owner in ipairs(all) do
    if owner.wanted > 0 then owners[#owners + 1] = owner end
  end
  local isScarce = cap < #owners
  table.sort(owners, function(a, b)
    if not isScarce and a.wanted ~= b.wanted then return a.wanted < b.wanted end
    if a.counted ~= b.counted then return a.counted < b.counted end
    return a.name < b.name
  end)
  local left, mine = cap, 0
  for i, owner in ipairs(owners) do
    local given = math.min(owner.wanted, math.floor(left / (#owners - i + 1)))
    left = left - given
    if owner.name == me then mine = given end
  end
  return mine
end

local answers = {}
for i = 2, #KEYS do
  local cap, wanted, held = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local rows = redis.call('HGETALL', KEYS[i])
  local owners, others = {{name = me, wanted = wanted, counted = held}}, 0
  for j = 1, #rows, 2 do
    local counted, wants, till = string.match(rows[j + 1], '^(%d+):(%d+):(%d+)$')
    if not till or tonumber(till) <= now then
      redis.call('HDEL', KEYS[i], rows[j])
    elseif rows[j] == me then
      owners[1].counted = math.max(held, tonumber(counted))
    else
      others = others + tonumber(counted)
      owners[#owners + 1] = {name = rows[j], wanted = tonumber(wants), counted = tonumber(counted)}
    end
  end
  local allowed = math.max(0, math.min(share(cap, owners), cap - others))
  if holdsBack then allowed = math.min(allowed, math.max(held, 1)) end
  local counted = math.max(allowed, held)
  if counted == 0 and wanted == 0 then
    redis.call('HDEL', KEYS[i], me)
  else
    redis.call('HSET', KEYS[i], me, string.format('%d:%d:%.0f', counted, wanted, now + ttl))
    redis.call('PEXPIRE', KEYS[i], ttl)
  end
  answers[#answers + 1] = allowed
end
return answers`;
