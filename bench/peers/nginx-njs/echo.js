// SPDX-License-Identifier: ISC
// What the client sends goes back to it; the upstream learns of the end only.
function filter(s) {
	s.on('upload', (data, flags) => {
		if (data.length > 0)
			s.sendDownstream(data, { flush: true });
		if (flags.last)
			s.sendUpstream('', flags);
	});
}

// An upstream that waits and says nothing.
function silent(s) {
	s.on('upload', () => {});
}

export default { filter, silent };
