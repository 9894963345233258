/* SPDX-License-Identifier: ISC */
/*
 * The layout of arena and service state in words.
 */
#include "shared/layout.h"

#include <stddef.h>
#include <stdio.h>

#include "shared/service.h"

/* A word that differs when a field has moved. */
static uint32_t
layout_fields(void)
{
#define H(member) offsetof(struct arena_header, member)
#define L(member) offsetof(struct listener, member)
#define T(member) offsetof(struct service_totals, member)
#define O(member) offsetof(struct service_state, member)
#define E(member) offsetof(struct handler_entry, member)
#define S(member) offsetof(struct slot, member)
#define C(member) offsetof(struct connection, member)
	static const size_t offsets[] = {
		H(slots),
		H(capacity),
		H(descriptors),
		H(master_wake_fd),
		H(watching),
		H(workers),
		H(generation),
		H(listeners),
		H(dropped),
		H(listener),
		H(drop),
		H(copied),
		H(handover),
		H(stop_deadline),
		H(descriptor_end),
		H(admission),
		H(accept_due),
		H(secret),
		H(loglevel),
		H(unfiltered),
		L(fd),
		L(name),
		sizeof(struct listener),
		T(deaths),
		T(recoveries),
		T(saved),
		T(reloads),
		T(reloads_refused),
		T(kept),
		T(reloaded),
		T(pause),
		T(refusal),
		T(closed),
		T(samples),
		T(sample),
		sizeof(struct sample),
		O(descriptors),
		O(started),
		O(pid),
		O(mode),
		O(workers),
		O(listeners),
		O(dropped),
		O(listener),
		O(queue),
		O(generation),
		O(seat),
		O(scratch),
		O(master_wake_fd),
		O(slot),
		sizeof(((struct service_state *)0)->slot),
		O(stop_deadline),
		O(loglevel),
		O(draining),
		O(handlers),
		sizeof(struct handler_entry),
		E(number),
		E(code_fd),
		E(device),
		O(totals),
		S(op.fd),
		S(op.base),
		S(op.sent),
		S(op.rx),
		S(op.tx),
		S(counting),
		sizeof(struct counting),
		S(heartbeat),
		S(held),
		S(active),
		S(inflight),
		S(blocks),
		S(state),
		S(fault),
		S(died),
		S(adopt),
		S(pid),
		S(leave),
		S(wake_fd),
		S(watch_fd),
		S(count),
		S(wakeup_pending),
		S(shed),
		S(lost),
		S(denied),
		C(rx),
		C(tx),
		C(seen),
		C(window_base),
		C(owner),
		C(epoch),
		C(half),
		offsetof(struct half, written),
		C(phase),
		C(flags),
		C(active),
		C(wakeup),
		C(idle_since),
		C(idle_mark),
		C(cookie),
		C(limit),
		C(opened),
		C(quiet_since),
		C(peer),
		C(offered_by),
		C(blocks),
		C(output_blocks),
		C(used),
		C(paused),
		C(close),
		CLOSE_REASONS,
	};
#undef H
#undef L
#undef T
#undef O
#undef E
#undef S
#undef C
	uint32_t word = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		word = (word ^ (uint32_t)offsets[i]) * 16777619;
	return word;
}

const char *
layout_words(void)
{
	static char words[96];

	snprintf(words, sizeof(words),
	    "%d (header %zu, slot %zu, connection %zu, service %zu, "
	    "fields %08x)",
	    ARENA_VERSION, sizeof(struct arena_header), sizeof(struct slot),
	    sizeof(struct connection), sizeof(struct service_state),
	    layout_fields());
	return words;
}
