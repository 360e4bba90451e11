-- wrk -s wrk.lua URL -- BODIES_FILE KEY_PREFIX HEADERS_FILE VERSIONS_FILE      (the last two may be empty)
-- One JSON body per line, used in turn. "__KEY__" becomes a fresh idempotency key; "__VERSION__" the deal's version, which
-- the answers tell.
local bodies, count, at, ready, errors = {}, 0, 0, {}, 0
local versions, versioned, keyed, prefix, begin = {}, false, false, "", 0

function setup(thread)
  threads = threads or {}
  table.insert(threads, thread)
end

function init(args)
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json", ["Host"] = wrk.host .. ":" .. wrk.port }
  prefix = args[2]
  -- The prefix ends in nanoseconds: the cents of the first amounts are its seconds, so that no run begins where the last one ended.
  begin = tonumber(prefix:match("(%d%d)%d%d%d%d%d%d%d%d%d$")) or 0
  if args[3] ~= "" then
    for line in io.lines(args[3]) do
      local name, value = line:match("^([^:]+):%s*(.*)$")
      if name then headers[name] = value end
    end
  end
  wrk.headers = headers
  if args[4] ~= "" then
    versioned = true
    for line in io.lines(args[4]) do
      local deal, version = line:match("^(%S+) (%d+)$")
      versions[deal] = version
    end
  end
  for line in io.lines(args[1]) do
    count = count + 1
    if line:find("__KEY__", 1, true) then
      keyed = true
      bodies[count] = { text = line, deal = line:match("deal_%w+") }
    else
      ready[count] = wrk.format("POST", nil, headers, line)
    end
  end
end

function request()
  at = at + 1
  local index = (at % count) + 1
  if not keyed then return ready[index] end
  local body = bodies[index]
  local text = body.text:gsub("__KEY__", prefix .. "-" .. at)
  -- Another amount each time: to write what is there already would be no write.
  local cents = string.format("%02d", (math.floor(at / count) + begin) % 100)
  text = text:gsub('("down":"%d+%.)00"', "%1" .. cents .. '"'):gsub('("downPaymentCents":%d+)00', "%1" .. cents)
  if versioned then text = text:gsub('"__VERSION__"', versions[body.deal]) end
  return wrk.format("POST", nil, wrk.headers, text)
end

function response(status, headers, body)
  if status ~= 200 or body:find('"errors"', 1, true) then errors = errors + 1 end
  if versioned then
    local deal, version = body:match('"id":"(deal_%w+)","version":(%d+)')
    if deal then versions[deal] = version else errors = errors + 1 end
  end
end

function done(summary, latency)
  local failed = 0
  for _, thread in ipairs(threads) do failed = failed + (thread:get("errors") or 0) end
  local e = summary.errors
  io.write(string.format('JSON{"req":%d,"us":%d,"bytes":%d,"p50":%.1f,"p99":%.1f,"status":%d,"sock":%d,"gqlerr":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout, failed))
end
