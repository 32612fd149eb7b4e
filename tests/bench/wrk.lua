-- Plays the HTTP messages of a file in order, over and over, and reports one line of JSON.
-- The file holds messages one after the other, each behind its length in bytes and a line end.

local messages, last = {}, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   while true do
      local length = file:read("*n")
      if not length then break end
      file:read(1)
      messages[#messages + 1] = file:read(length)
   end
   file:close()
end

function request()
   last = last % #messages + 1
   return messages[last]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'report {"requests":%d,"duration_us":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,' ..
      '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
