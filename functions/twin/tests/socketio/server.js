'use strict';
// Two real Socket.IO servers, for Engine.IO revisions 4 and 3, like TWIN's sockets: one socket per session,
// identified by `key` in the query. They are controlled over HTTP:
//
//   POST /emit    {"session", "event", "data", "ack"?}   emits to the session's sockets; returns their number,
//                                                        and with "ack" the number of acknowledgements
//   POST /raw     {"session", "packet"}                  sends the session's sockets this text as a packet
//   POST /drop    {"session"?, "hard"?}                  closes sockets; "hard" without a closing handshake
//   POST /refuse  {"eio4"?, "session"?}                  refuses EIO=4, or a session, from now on
//   GET  /sockets                                        the number of sockets of each session, now and in total
//
// The first line of the output is JSON with the ports.

const http = require('node:http');
const { Server: Newer } = require('socket.io-4');
const older = require('socket.io-2');

const pingInterval = Number(process.argv[2] || 25000);
const pingTimeout = Number(process.argv[3] || 20000);
const path = '/operator/socket.io/';
const refused = { eio4: false, sessions: new Set() };
const sockets = new Map();
const totals = new Map();

function query(request) {
  return new URL(request.url, 'http://localhost').searchParams;
}

function register(socket) {
  const session = socket.handshake.query.key;
  if (!sockets.has(session)) sockets.set(session, new Set());
  sockets.get(session).add(socket);
  totals.set(session, (totals.get(session) || 0) + 1);
  socket.on('disconnect', () => sockets.get(session).delete(socket));
}

function authorize(socket, next) {
  const key = socket.handshake.query.key;
  next(!key || refused.sessions.has(key) ? new Error('no such session') : undefined);
}

function server(kind) {
  const inner = http.createServer((_, response) => response.writeHead(404).end());
  const options = {
    path,
    pingInterval,
    pingTimeout,
    transports: ['websocket'],
    allowRequest: (request, done) => {
      const denied = refused.eio4 && query(request).get('EIO') === '4';
      done(denied ? 5 : null, !denied);
    },
  };
  const io = kind === 'newer' ? new Newer(inner, options) : older(inner, options);
  io.use(authorize);
  io.on('connection', register);
  return inner;
}

function socketsOf(session) {
  if (session) return [...(sockets.get(session) || [])];
  return [...sockets.values()].flatMap((all) => [...all]);
}

const commands = {
  '/emit': ({ session, event, data, ack }, done) => {
    const found = socketsOf(session);
    let acked = 0;
    const reply = () => done({ sockets: found.length, acked });
    if (!ack || found.length === 0) {
      for (const socket of found) socket.emit(event, data);
      return reply();
    }
    const timer = setTimeout(reply, 3000);
    for (const socket of found) {
      socket.emit(event, data, () => {
        acked += 1;
        if (acked === found.length) {
          clearTimeout(timer);
          reply();
        }
      });
    }
  },
  '/raw': ({ session, packet }, done) => {
    const found = socketsOf(session);
    for (const socket of found) socket.conn.write(packet);
    done({ sockets: found.length });
  },
  '/drop': ({ session, hard }, done) => {
    const found = socketsOf(session);
    for (const socket of found) {
      if (hard) socket.conn.transport.socket.terminate();
      else socket.disconnect(true);
    }
    done({ sockets: found.length });
  },
  '/refuse': ({ eio4, session }, done) => {
    if (eio4 !== undefined) refused.eio4 = eio4;
    if (session) refused.sessions.add(session);
    done({});
  },
  '/sockets': (_, done) => {
    const all = [...totals].map(([key, times]) => [key, { now: socketsOf(key).length, ever: times }]);
    done(Object.fromEntries(all));
  },
};

const control = http.createServer((request, response) => {
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const command = commands[request.url];
    if (!command) return response.writeHead(404).end();
    command(text ? JSON.parse(text) : {}, (answer) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
});

const servers = { newer: server('newer'), older: server('older'), control };
const ports = Object.entries(servers).map(
  ([name, one]) =>
    new Promise((done) => one.listen(0, '127.0.0.1', () => done([name, one.address().port]))),
);
Promise.all(ports).then((all) => console.log(JSON.stringify(Object.fromEntries(all))));
// Exit when the parent process does.
process.stdin.on('end', () => process.exit(0)).resume();
