-- Each request is one JSON line on stdout, so that executions can be counted.

-- count returns how many requests there were. Each thread of each process has a Lua of its own, so they count together
-- by appending to a file, which is removed when the server starts.
local function count()
  local file = io.open("/tmp/requests", "a")
  file:write(".")
  file:flush()
  local n = file:seek()
  file:close()
  return n
end

function handle(r)
  print(string.format('{"event":"request","n":%d,"method":%q,"url":%q}', count(), r.method, r.unparsed_uri))
  io.stdout:flush()
  r:requestbody()
  r.content_type = "text/plain"
  r:puts(r.method, " ", r.unparsed_uri, " answered by ", r.banner, "\n")
  return apache2.OK
end
