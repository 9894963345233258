// The status page: numbers and charts from /status.json, every few seconds.
//
// An element with data-key shows the value of this name, as data-format says.
// A template with data-rows is a row of this list.
'use strict';

(() => {
	const SECONDS = 5;
	const WIDTH = 240, HEIGHT = 50;
	const SHORTEST = 12; // fewer samples than these do not fill a chart
	const SVG = 'http://www.w3.org/2000/svg';
	const BLANK = '\u00a0', NARROW = '\u202f';

	// "12.3 kB": three digits or so.
	const short = (n, unit = '') => {
		const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
		let i = 0;

		for (; n >= 999.5 && i < prefixes.length - 1; i++)
			n /= 1000;
		const digits = i === 0 && Number.isInteger(n) ? 0 :
		    n < 9.95 ? 2 : n < 99.5 ? 1 : 0;
		const text = prefixes[i] + unit;
		return n.toFixed(digits) + (text === '' ? '' : BLANK + text);
	};

	const two = n => String(n).padStart(2, '0');

	const formats = {
		text: String,
		plain: n => n === null ? 'none' : String(n),
		exact: n => String(n).replace(/\B(?=(\d{3})+$)/g, NARROW),
		short: n => short(n),
		bytes: n => short(n, 'B'),
		ms: s => Math.round(s * 1000) + BLANK + 'ms',
		duration: s => {
			if (s === null)
				return 'none';
			const days = Math.floor(s / 86400);
			return (days > 0 ? days + ' d ' : '') +
			    two(Math.floor(s / 3600) % 24) + ':' +
			    two(Math.floor(s / 60) % 60) + ':' +
			    two(Math.floor(s) % 60);
		},
	};

	const value = (values, key) => key.split('.').reduce(
	    (v, name) => v === null || v === undefined ? v : v[name], values);

	const fill = (root, values) => {
		for (const e of root.querySelectorAll('[data-key]')) {
			const v = value(values, e.dataset.key);

			if (v === undefined)
				continue;
			if (e instanceof HTMLMeterElement) {
				e.max = values.most;
				e.value = v;
				continue;
			}
			const format = e.dataset.format ||
			    (typeof v === 'number' ? 'exact' : 'text');
			const text = formats[format](v);
			if (e.textContent !== text)
				e.textContent = text;
			if ('state' in e.dataset)
				e.dataset.state = v;
		}
	};

	const templates = () => document.querySelectorAll('[data-rows]');

	const removeRows = () => {
		for (const t of templates())
			while (t.nextSibling)
				t.nextSibling.remove();
	};

	// Make the rows behind each template.
	const fillRows = lists => {
		for (const t of templates()) {
			const rows = lists[t.dataset.rows];
			const most = Math.max(1, ...rows.map(
			    r => r.count ?? r.connections ?? 0));

			for (const row of rows) {
				const copy = t.content.cloneNode(true);

				fill(copy, { ...row, most });
				t.parentNode.append(copy);
			}
		}
	};

	const named = counts => Object.entries(counts).map(([name, count]) =>
	    ({ name: name.replaceAll('_', ' '), count }));

	// Changes per second from one sample to the next.
	const rates = (ago, counts) => counts.slice(1).map((n, i) => {
		const span = ago[i] - ago[i + 1];
		return span > 0 && n > counts[i] ? (n - counts[i]) / span : 0;
	});

	const path = (name, d) => {
		const p = document.createElementNS(SVG, 'path');

		p.setAttribute('class', name);
		p.setAttribute('d', d);
		return p;
	};

	// The newest value is at the right; the course grows from there.
	const course = (values, most) => {
		const svg = document.createElementNS(SVG, 'svg');
		const step = WIDTH / (Math.max(SHORTEST, values.length) - 1);
		const left = WIDTH - step * (values.length - 1);
		const points = values.map((n, i) =>
		    (left + step * i).toFixed(1) + ' ' + (HEIGHT - 1 -
			(most > 0 ? n / most * (HEIGHT - 4) : 0)).toFixed(1));

		svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
		svg.setAttribute('preserveAspectRatio', 'none');
		svg.setAttribute('role', 'img');
		if (points.length > 1) {
			const line = points.join('L');
			svg.append(path('area', `M${left.toFixed(1)} ${HEIGHT - 1}` +
			    `L${line}L${WIDTH} ${HEIGHT - 1}Z`),
			    path('course', 'M' + line));
		}
		return svg;
	};

	const chart = (card, samples) => {
		const ago = samples.ago;
		const counts = samples[card.dataset.chart];
		const values = 'rate' in card.dataset ? rates(ago, counts) :
		    counts.slice(1);
		const most = Math.max(0, ...values);
		const s = ago.length > 0 ? Math.round(ago[0] - ago.at(-1)) : 0;
		const span = s < 90 ? `last ${s} s` :
		    `last ${Math.round(s / 60)} min`;
		const peak = 'peak ' + formats[card.dataset.unit || 'short'](most);
		const svg = course(values, most);
		const ends = document.createElement('div');

		svg.setAttribute('aria-label',
		    `${card.querySelector('h2').textContent}, ${span}, ${peak}`);
		ends.className = 'ends';
		ends.setAttribute('aria-hidden', 'true');
		for (const text of [values.length > 0 ? span : '', peak]) {
			const e = document.createElement('span');

			e.textContent = text;
			ends.append(e);
		}
		for (const old of card.querySelectorAll('svg, .ends'))
			old.remove();
		card.append(svg, ends);
	};

	const show = answer => {
		const { status, workers, samples } = answer;
		const rate = {};

		for (const [key, counts] of Object.entries(samples))
			rate[key] = rates(samples.ago, counts).at(-1) ?? 0;
		removeRows();
		fill(document, { ...status, rate });
		fillRows({ workers, services: status.services,
			listeners: status.listeners,
			closed: named(status.closed),
			deaths: named(status.deaths) });
		for (const card of document.querySelectorAll('[data-chart]'))
			chart(card, samples);
		document.title = 'echod: ' + status.mode;
	};

	// A service that is away dims the page.
	const step = async () => {
		let away = false;

		try {
			const r = await fetch('/status.json',
			    { cache: 'no-store' });
			show(await r.json());
		} catch {
			away = true;
		}
		document.querySelector('main').classList.toggle('stale', away);
		document.getElementById('away').hidden = !away;
		setTimeout(step, SECONDS * 1000);
	};

	step();
})();
