// A plain Node.js server of HTTP/2 in the clear (h2c with prior knowledge), every default
// untouched, that answers calls as gRPC does: one message, and grpc-status in the trailers.
// A call of .../never is not answered, one of .../open gets its first message and no end;
// one of .../pinged ends with a second message, after ten PINGs of the server, five a second.
// Each event is one JSON line on stdout, so that connections and executions can be counted.
'use strict';

const { once } = require('events');
const http2 = require('http2');

const log = (event) => console.log(JSON.stringify({ time: Date.now() / 1000, ...event }));
const say = (name) => log({ event: 'said', name });

const text = `answered by Node.js ${process.version}\n`;
const message = Buffer.alloc(5 + text.length); // not compressed, its length, the bytes
message.writeUInt32BE(text.length, 1);
message.write(text, 5);

let connections = 0;
let requests = 0;

const server = http2.createServer();

server.on('session', (session) => {
  const socket = session.socket;
  const n = ++connections;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  log({ event: 'connection', connection: n, remote });
  session.on('error', () => {});
  const settled = once(session, 'localSettings').catch(() => {}); // acknowledged: nothing is left to read
  session.on('close', () => log({ event: 'close', connection: n, remote }));
  session.on('stream', (stream, headers) => {
    const { ':method': method, ':path': url } = headers;
    log({ event: 'request', n: ++requests, connection: n, method, url });
    stream.on('error', () => {}); // its peer has reset it
    stream.resume().on('end', () => {
      if (url.endsWith('/never')) return settled.then(() => say('working'));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      if (!url.endsWith('/open') && !url.endsWith('/pinged')) return stream.end(message);
      stream.write(message, () => say('sent'));
      if (url.endsWith('/pinged')) {
        let left = 10;
        const pings = setInterval(() => (left-- > 0 ? session.ping(() => {}) : stream.end(message)), 200);
        stream.on('close', () => clearInterval(pings));
      }
    });
  });
});

server.listen(8080, '0.0.0.0', () => log({ event: 'listening', port: server.address().port, server: 'node', version: process.versions.node }));
