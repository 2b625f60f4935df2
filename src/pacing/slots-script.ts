/**
 * The one Lua call of connection slots: all destinations of a process at once.
 *
 * In:  KEYS[1] when Redis was last seen empty, KEYS[2..] a hash per destination; ARGV[1] owner, ARGV[2] ms a lease lasts, ARGV[3] ms to hold back
 *      after a loss, then for each destination cap, wanted, held.
 * Out: how many connections the owner may hold, per destination.
 * Rows: owner -> "counted:wanted:until". `counted` is what the owner may hold, or still does: their sum never passes the cap, except by what was open
 *      when the cap was lowered or Redis lost its keys.
 *
 * Shares are max-min fair by what is wanted: who wants less than an equal part gets that, the others divide the rest, and what can't be divided stays
 * where it is. Where there are fewer slots than owners, those that hold one keep it. Connections above a share are idle: they stay open for reuse as
 * long as the wants of all leave room for them. Who holds more is told so, and its slots count until they are closed.
 * After a loss nobody gets more than it holds until all have had time to say what that is.
 */
export const slotsScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local me, ttl = ARGV[1], tonumber(ARGV[2])
redis.call('SET', KEYS[1], now, 'NX')
local holdsBack = now - tonumber(redis.call('GET', KEYS[1])) < tonumber(ARGV[3])

local function share(left, owners)
  table.sort(owners, function(a, b)
    if a.counted ~= b.counted then return a.counted > b.counted end
    return a.name < b.name
  end)
  repeat
    local short = {}
    for _, owner in ipairs(owners) do
      if owner.given < owner.wanted then short[#short + 1] = owner end
    end
    local each = #short > 0 and math.max(1, math.floor(left / #short)) or 0
    for _, owner in ipairs(short) do
      local more = math.min(each, owner.wanted - owner.given, left)
      owner.given = owner.given + more
      left = left - more
    end
  until left <= 0 or #short == 0
  return left
end

local answers = {}
for i = 2, #KEYS do
  local cap, wanted, held = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local rows = redis.call('HGETALL', KEYS[i])
  local owners, others = {{name = me, wanted = wanted, counted = held, given = 0}}, 0
  for j = 1, #rows, 2 do
    local counted, wants, till = string.match(rows[j + 1], '^(%d+):(%d+):(%d+)$')
    if not till or tonumber(till) <= now then
      redis.call('HDEL', KEYS[i], rows[j])
    elseif rows[j] == me then
      owners[1].counted = math.max(held, tonumber(counted))
    else
      others = others + tonumber(counted)
      owners[#owners + 1] = {name = rows[j], wanted = tonumber(wants), counted = tonumber(counted), given = 0}
    end
  end
  local mine = owners[1]
  local room = share(cap, owners)
  for _, owner in ipairs(owners) do
    if owner ~= mine then room = room - math.max(0, owner.counted - owner.given) end
  end
  local idle = math.max(0, math.min(held - mine.given, room))
  local allowed = math.max(0, math.min(mine.given + idle, cap - others))
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
