/**
 * In:  KEYS buckets; ARGV[1] wanted, then for each bucket µs between messages and burst in messages. Less than 0 wanted: so many are given back.
 * Out: {granted, ms until the next, number of the bucket that is waited for}; the last two 0 when all was granted.
 * Rows: one string per bucket, expiring a minute after it is full again.
 * µs since 1970 leave a double no room for fractions: an interval may only be divided by, not added to them, or a bucket of one token never has it.
 */
export const rateScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local wanted = tonumber(ARGV[1])
local granted = wanted
local tats = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local stored = redis.call('GET', key)
  local tat = stored and tonumber(stored) or now + (burst - 1) * interval
  if tat < now then tat = now end
  tats[i] = tat
  granted = math.min(granted, math.max(0, math.floor(burst - (tat - now) / interval + 1e-6)))
end
local wait, limiting = 0, 0
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local tat = math.max(now, tats[i] + granted * interval)
  redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 60000)
  local need = math.ceil((tat - now - (burst - 1) * interval) / 1000)
  if granted < wanted and need > wait then wait = need; limiting = i end
end
return {granted, wait, limiting}`;
