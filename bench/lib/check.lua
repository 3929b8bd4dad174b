-- wrk's part: sends the prepared requests in turn and checks every response. The harness writes the requests as a
-- Lua table: { requests = { "GET …", … }, status = 200, length = 305 or nil, contains = "…" }.
local plan
local index = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  plan = dofile(args[1])
  wrong, checked, example = 0, 0, ""
end

function request()
  index = index % #plan.requests + 1
  return plan.requests[index]
end

function response(status, headers, body)
  checked = checked + 1
  if status ~= plan.status or (plan.length and #body ~= plan.length)
    or not string.find(body, plan.contains, 1, true) then
    wrong = wrong + 1
    if example == "" then
      example = status .. " " .. string.sub(body, 1, 300)
    end
  end
end

function done(summary, latency, requests)
  local all, bad, seen = 0, 0, ""
  for _, thread in ipairs(threads) do
    all = all + thread:get("checked")
    bad = bad + thread:get("wrong")
    if seen == "" then
      seen = thread:get("example")
    end
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"micros":%d,"checked":%d,"wrong":%d,"socket":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d,"example":%q}\n',
    summary.requests, summary.duration, all, bad, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max, seen))
end
