/* SPDX-License-Identifier: ISC */
/*
 * Reading PROXY protocol headers, strictly.
 */
#include "worker/connection/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

/* Section 2.1: the longest line, with CRLF. */
#define V1_BYTES 107
/* Section 2.2. */
#define V2_FIXED 16
#define TLV_CRC32C 0x03

static const char v1_start[] = "PROXY ";
static const char v2_start[] = "\r\n\r\n\0\r\nQUIT\n";

#define V1_START (sizeof(v1_start) - 1)
#define V2_START (sizeof(v2_start) - 1)

static enum proxy_result
proxy_bad(struct proxy_header *h, const char *fault)
{
	h->fault = fault;
	return PROXY_BAD;
}

/* A port in decimal, without sign or leading zeros; -1 if it is none. */
static int
proxy_port_of(const char *text)
{
	const char *reason;
	long long n;

	if (text[0] < '0' || text[0] > '9' ||
	    (text[0] == '0' && text[1] != '\0'))
		return -1;
	n = strtonum(text, 0, 65535, &reason);
	return reason == NULL ? (int)n : -1;
}

/* "TCP4 source destination port port": the words of a line. */
static enum proxy_result
proxy_take_words(char *line, struct proxy_header *h)
{
	char *word[5], *rest = line;
	uint8_t other[16];
	int port;

	for (size_t i = 0; i < 5; i++)
		if ((word[i] = strsep(&rest, " ")) == NULL)
			return proxy_bad(h, "too few words");
	if (rest != NULL)
		return proxy_bad(h, "too many words");
	if (strcmp(word[0], "TCP4") == 0)
		h->peer.family = AF_INET;
	else if (strcmp(word[0], "TCP6") == 0)
		h->peer.family = AF_INET6;
	else
		return proxy_bad(h, "unknown protocol");
	if (inet_pton(h->peer.family, word[1], h->peer.address) != 1 ||
	    inet_pton(h->peer.family, word[2], other) != 1)
		return proxy_bad(h, "wrong address");
	port = proxy_port_of(word[3]);
	if (port == -1 || proxy_port_of(word[4]) == -1)
		return proxy_bad(h, "wrong port");
	h->peer.port = (uint16_t)port;
	peer_normalize(&h->peer);
	h->known = true;
	return PROXY_OK;
}

static enum proxy_result
proxy_parse_v1(const char *in, size_t len, struct proxy_header *h)
{
	char line[V1_BYTES + 1];
	size_t most = len < V1_BYTES ? len : V1_BYTES;
	const char *end = memchr(in, '\n', most);
	size_t n;

	if (end == NULL)
		return len < V1_BYTES ? PROXY_MORE
				      : proxy_bad(h, "line too long");
	if (end[-1] != '\r')
		return proxy_bad(h,
		    "its line ends with LF alone, not with CR LF");
	h->bytes = (size_t)(end - in) + 1;
	n = h->bytes - 2 - V1_START;
	memcpy(line, in + V1_START, n);
	line[n] = '\0';
	if (strlen(line) != n)
		return proxy_bad(h, "NUL byte");
	/* The rest of such a line has no meaning. */
	if (strcmp(line, "UNKNOWN") == 0 || strncmp(line, "UNKNOWN ", 8) == 0)
		return PROXY_OK;
	return proxy_take_words(line, h);
}

/* The result of eight steps of the bitwise division, for each byte. */
static const uint32_t *
proxy_crc32c_table(void)
{
	static uint32_t table[256];

	if (table[1] != 0)
		return table;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		table[i] = crc;
	}
	return table;
}

/* CRC-32C (RFC 3720, appendix B.4) over the header, its own field as 0. */
static uint32_t
proxy_crc32c(const uint8_t *in, size_t len, size_t field)
{
	const uint32_t *table = proxy_crc32c_table();
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = i >= field && i < field + 4 ? 0 : in[i];

		crc = crc >> 8 ^ table[(crc ^ byte) & 0xff];
	}
	return ~crc;
}

/* Sections 2.2.1 to 2.2.6: the fields after the addresses.  There is one
 * checksum at most: each is over the whole header, and a client could make us
 * read the header as often as a checksum fits into it. */
static enum proxy_result
proxy_check_tlvs(const uint8_t *in, size_t at, struct proxy_header *h)
{
	size_t field = 0;
	const uint8_t *sum;

	while (at < h->bytes) {
		size_t n;

		if (h->bytes - at < 3)
			return proxy_bad(h, "TLV is cut");
		n = (size_t)in[at + 1] << 8 | in[at + 2];
		if (h->bytes - at - 3 < n)
			return proxy_bad(h, "TLV is cut");
		if (in[at] == TLV_CRC32C) {
			if (n != 4)
				return proxy_bad(h, "wrong length of checksum");
			if (field != 0)
				return proxy_bad(h, "more than one checksum");
			field = at + 3;
		}
		at += 3 + n;
	}
	sum = in + field;
	if (field != 0 &&
	    proxy_crc32c(in, h->bytes, field) !=
		((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
		    (uint32_t)sum[2] << 8 | sum[3]))
		return proxy_bad(h, "wrong checksum");
	return PROXY_OK;
}

static enum proxy_result
proxy_parse_v2(const uint8_t *in, size_t len, struct proxy_header *h)
{
	/* Bytes of the addresses, by family: none, IPv4, IPv6, UNIX. */
	static const uint8_t lengths[] = { 0, 12, 36, 216 };
	unsigned family, addresses;

	if (len < V2_FIXED)
		return PROXY_MORE;
	if (in[12] >> 4 != 2)
		return proxy_bad(h, "unknown version");
	if ((in[12] & 0xf) > 1)
		return proxy_bad(h, "unknown command");
	h->bytes = V2_FIXED + ((size_t)in[14] << 8 | in[15]);
	if (h->bytes > PROXY_BYTES)
		return proxy_bad(h, "header too long");
	/* LOCAL: a health check of the balancer; the rest has no meaning. */
	h->local = (in[12] & 0xf) == 0;
	if (h->local)
		return len < h->bytes ? PROXY_MORE : PROXY_OK;
	family = in[13] >> 4;
	if (family > 3 || (family != 0 && (in[13] & 0xf) != 1) ||
	    (family == 0 && (in[13] & 0xf) != 0))
		return proxy_bad(h, "not a stream of a known family");
	addresses = lengths[family];
	if (h->bytes < V2_FIXED + addresses)
		return proxy_bad(h, "addresses are cut");
	if (len < h->bytes)
		return PROXY_MORE;
	if (family == 1 || family == 2) {
		size_t n = family == 1 ? 4 : 16;
		const uint8_t *port = in + V2_FIXED + 2 * n;

		h->peer.family = family == 1 ? AF_INET : AF_INET6;
		memcpy(h->peer.address, in + V2_FIXED, n);
		h->peer.port = (uint16_t)(port[0] << 8 | port[1]);
		peer_normalize(&h->peer);
		h->known = true;
	}
	return proxy_check_tlvs(in, V2_FIXED + addresses, h);
}

enum proxy_result
proxy_parse(const char *in, size_t len, struct proxy_header *h)
{
	memset(h, 0, sizeof(*h));
	if (memcmp(in, v2_start, len < V2_START ? len : V2_START) == 0)
		return len < V2_START
		    ? PROXY_MAYBE
		    : proxy_parse_v2((const uint8_t *)in, len, h);
	if (memcmp(in, v1_start, len < V1_START ? len : V1_START) != 0)
		return PROXY_NONE;
	return len < V1_START ? PROXY_MAYBE : proxy_parse_v1(in, len, h);
}
