// SPDX-License-Identifier: ISC
// An echo server: the workers of the cluster module.
//
// usage: node server.js PORT WORKERS
'use strict';

const cluster = require('node:cluster');
const net = require('node:net');

const [port, workers] = process.argv.slice(2).map(Number);

if (cluster.isPrimary) {
	for (let i = 0; i < workers; i++)
		cluster.fork();
	process.on('SIGTERM', () => {
		for (const worker of Object.values(cluster.workers))
			worker.process.kill();
		process.exit(0);
	});
} else {
	const server = net.createServer({ noDelay: true }, (socket) => {
		socket.on('error', () => socket.destroy());
		socket.pipe(socket);
	});
	server.listen({ host: '127.0.0.1', port, backlog: 1024 });
}
