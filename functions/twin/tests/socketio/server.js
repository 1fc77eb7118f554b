'use strict';
// Two real Socket.IO servers, of Engine.IO's revisions 4 and 3, as TWIN's sockets are described: one
// socket a session, known by `key` in its query. What they do is told over HTTP:
//
//   POST /emit    {"session", "event", "data", "ack"?}   to the session's sockets; answers how many there
//                                                        were, and with "ack" how many said it is safe
//   POST /drop    {"session"?, "hard"?}                  closes sockets, politely or not
//   POST /refuse  {"eio4"?, "session"?}                  from now on lets no EIO=4 in, or that session
//   GET  /sockets                                        how many sockets each session has, and had
//
// The first line of its output is JSON with the ports.

const http = require('node:http');
const { Server: Newer } = require('socket.io-4');
const older = require('socket.io-2');

const pingInterval = Number(process.argv[2] || 25000);
const pingTimeout = Number(process.argv[3] || 20000);
const path = '/operator/socket.io/';
const refused = { eio4: false, sessions: new Set() };
const sockets = new Map();
const had = new Map();

function query(request) {
  return new URL(request.url, 'http://localhost').searchParams;
}

function welcome(socket) {
  const session = socket.handshake.query.key;
  if (!sockets.has(session)) sockets.set(session, new Set());
  sockets.get(session).add(socket);
  had.set(session, (had.get(session) || 0) + 1);
  socket.on('disconnect', () => sockets.get(session).delete(socket));
}

function guard(socket, next) {
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
  io.use(guard);
  io.on('connection', welcome);
  return inner;
}

function of(session) {
  if (session) return [...(sockets.get(session) || [])];
  return [...sockets.values()].flatMap((all) => [...all]);
}

const deeds = {
  '/emit': ({ session, event, data, ack }, done) => {
    const found = of(session);
    let acked = 0;
    const tell = () => done({ sockets: found.length, acked });
    if (!ack || found.length === 0) {
      for (const socket of found) socket.emit(event, data);
      return tell();
    }
    const late = setTimeout(tell, 3000);
    for (const socket of found) {
      socket.emit(event, data, () => {
        acked += 1;
        if (acked === found.length) {
          clearTimeout(late);
          tell();
        }
      });
    }
  },
  '/drop': ({ session, hard }, done) => {
    const found = of(session);
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
    const all = [...had].map(([key, times]) => [key, { now: of(key).length, ever: times }]);
    done(Object.fromEntries(all));
  },
};

const control = http.createServer((request, response) => {
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const deed = deeds[request.url];
    if (!deed) return response.writeHead(404).end();
    deed(text ? JSON.parse(text) : {}, (answer) => {
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
// Whoever started it is gone: so is it.
process.stdin.on('end', () => process.exit(0)).resume();
