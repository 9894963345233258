/* SPDX-License-Identifier: ISC */
/*
 * The limits of the service: control groups of v1 and v2 as systems and
 * containers show them, and the messages about them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/directive.h"
#include "config/memory_size.h"
#include "lib/limits.h"
#include "tap.h"

static char root[] = "/tmp/echod-limits-XXXXXX";

/* A file below `root`, and the directories above it. */
static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF) {
		perror(path);
		exit(1);
	}
}

static uint64_t
memory(char *what, size_t size)
{
	return limits_memory(what, size);
}

#define MB(n) ((uint64_t)(n) << 20)

static void
test_groups(void)
{
	char what[256];
	uint64_t machine;

	put("proc/self/cgroup", "");
	put("proc/self/mountinfo", "");
	machine = memory(what, sizeof(what));
	ok(machine > MB(16) && strcmp(what, "the machine's memory") == 0,
	    "without control groups: the machine's memory");

	put("proc/self/cgroup", "0::/system.slice/echod.service\n");
	put("proc/self/mountinfo",
	    "30 23 0:26 / /v2 rw,nosuid shared:4 - "
	    "cgroup2 cgroup2 rw,nsdelegate\n");
	put("v2/system.slice/echod.service/memory.max", "max\n");
	put("v2/system.slice/memory.max", "10485760\n");
	ok(memory(what, sizeof(what)) == MB(10) &&
		strstr(what, "v2/system.slice/memory.max") != NULL,
	    "v2: the limit of a group above counts");
	put("v2/system.slice/echod.service/memory.high", "5242880\n");
	ok(memory(what, sizeof(what)) == MB(5) &&
		strstr(what, "echod.service/memory.high") != NULL,
	    "v2: memory.high is a limit, too");
	put("v2/system.slice/echod.service/memory.events",
	    "low 0\noom 7\noom_kill 3\n");
	ok(limits_oom_kills() == 3, "v2: kills are counted");

	/* A container sees the host's paths, but not above its own. */
	put("proc/self/cgroup",
	    "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n"
	    "0::/elsewhere\n");
	put("proc/self/mountinfo",
	    "31 23 0:27 /docker/abc /v1\\040mem ro - "
	    "cgroup cgroup rw,memory\n"
	    "30 23 0:26 / /v2 rw - cgroup2 cgroup2 rw\n");
	put("v1 mem/memory.limit_in_bytes", "3145728\n");
	put("v1 mem/memory.oom_control", "under_oom 0\noom_kill 2\n");
	ok(memory(what, sizeof(what)) == MB(3) &&
		strstr(what, "/v1 mem/memory.limit_in_bytes") != NULL,
	    "v1 in a container: its own group, where it is mounted");
	ok(limits_oom_kills() == 2, "v1: kills are counted");
	put("v1 mem/memory.limit_in_bytes", "9223372036854771712\n");
	ok(memory(what, sizeof(what)) == machine,
	    "v1: its number for no limit is none");

	/* A namespace: the path is in another part of the tree. */
	put("proc/self/cgroup", "4:memory:/../other\n");
	put("v1 mem/memory.limit_in_bytes", "4194304\n");
	ok(memory(what, sizeof(what)) == MB(4),
	    "a path that is out of sight: the root of the mounted "
	    "hierarchy counts");
	limits_root = "";
}

/* The value of `text` as text again; "" if it is refused. */
static const char *
amount(const char *text)
{
	static char back[64];
	struct memory_size m;
	char why[256];

	back[0] = '\0';
	if (memory_size_parse(&m, text, why, sizeof(why)) == 0)
		memory_size_format(&m, back, sizeof(back));
	return back;
}

static void
test_amounts(void)
{
	static const char *const same[] = { "0", "auto", "1mb", "1500kb", "1gb",
		"1g", "300m", "200k", "200001", "5%", "100%", "999999999gb" };
	static const char *const bad[] = { "", "-1", "+1mb", "1 mb", "01mb",
		"1.5g", "0x10mb", "mb", "%", "0%", "101%", "5 %", "1tb", "1mbb",
		"127kb", "1", "10000000000gb", "99999999999999999999",
		"automatic" };
	struct memory_size m;
	char why[256];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		ok(strcmp(amount(same[i]), same[i]) == 0, "%s", same[i]);
	ok(strcmp(amount("1048576"), "1mb") == 0 &&
		strcmp(amount("2GB"), "2gb") == 0 &&
		strcmp(amount("1000MB"), "1000mb") == 0 &&
		strcmp(amount("1000000b"), "1m") == 0,
	    "an amount has one spelling");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(amount(bad[i])[0] == '\0', "refused: \"%s\"", bad[i]);
	(void)memory_size_parse(&m, "50%", why, sizeof(why));
	memory_size_settle(&m, 25, why, sizeof(why));
	ok(m.kind == MEMORY_BYTES && m.n >= MB(1) &&
		strncmp(why, "50% of ", 7) == 0,
	    "a part of the memory there is: %s", why);
}

static void
test_words(void)
{
	const struct rlimit low = { 1 << 20, 1 << 20 };
	const char *words;

	ok(limits_why_no_room(EFBIG, 1)[0] == '\0' &&
		limits_why_no_room(EACCES, 1)[0] == '\0' &&
		limits_why_no_process(EACCES)[0] == '\0',
	    "no message if no limit is the cause");
	setrlimit(RLIMIT_FSIZE, &low);
	words = limits_why_no_room(EFBIG, MB(9));
	ok(strstr(words, "RLIMIT_FSIZE") != NULL &&
		strstr(words, "1048576") != NULL &&
		strstr(words, "9437184") != NULL,
	    "the size of files: which limit, what it is, what is needed");
	words = limits_why_no_process(EAGAIN);
	ok(strstr(words, "max") != NULL || strstr(words, "NPROC") != NULL,
	    "processes:%s", words);
}

int
main(void)
{
	char command[64];

	if (mkdtemp(root) == NULL) {
		perror(root);
		return 1;
	}
	limits_root = root;
	test_groups();
	test_amounts();
	test_words();
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	(void)!system(command);
	return tap_done();
}
