# Puma with every timeout untouched (persistent_timeout is 20 s). This file is both its settings and its application.
# Each event is one JSON line on stdout, so that executions can be counted.
require 'json'

$stdout.sync = true
version = Puma::Const::VERSION
counting = Mutex.new
requests = 0

bind 'tcp://0.0.0.0:8080'

on_booted { puts JSON.generate(event: 'listening', port: 8080, server: 'puma', version: version) }

app do |env|
  method, url = env.values_at('REQUEST_METHOD', 'REQUEST_URI')
  counting.synchronize { puts JSON.generate(event: 'request', n: requests += 1, method: method, url: url) }
  env['rack.input'].read
  [200, { 'content-type' => 'text/plain' }, ["#{method} #{url} answered by Puma #{version}\n"]]
end
