/* SPDX-License-Identifier: ISC */
/*
 * Loading modules, from real files: whose files are loaded, what is refused,
 * and that the master believes nothing of what the loading child wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "handler/image.h"
#include "tests/unit/tap.h"

static char directory[] = "/tmp/echod-image-XXXXXX";
static char why[IMAGE_WHY];
static struct image image;

/* Copy the module `name` of the build to our directory, as root or user. */
static const char *
copy(const char *name)
{
	static char to[PATH_MAX];
	char from[PATH_MAX], block[65536];
	ssize_t n = readlink("/proc/self/exe", from, sizeof(from) - 1);
	int in, out;

	from[n < 0 ? 0 : n] = '\0';
	*strrchr(from, '/') = '\0';
	strlcat(from, "/../programs/modules/", sizeof(from));
	strlcat(from, name, sizeof(from));
	strlcat(from, ".so", sizeof(from));
	snprintf(to, sizeof(to), "%s/%s.so", directory, name);
	(void)unlink(to);
	in = open(from, O_RDONLY);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	while (
	    in != -1 && out != -1 && (n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			abort();
	if (in == -1 || out == -1)
		printf("# %s: %s\n", from, strerror(errno));
	close(in);
	close(out);
	(void)chmod(to, 0755);
	return to;
}

/* Make and read the image of one service. */
static int
one(const char *handler, const char *option, const char *value)
{
	struct image_request r = { .services = 1 };
	int memfd = image_memfd(), result;

	r.service[0] = (struct image_service){ .name = "default",
		.handler = handler,
		.where = "redis.conf:12: handler" };
	if (option != NULL) {
		r.service[0].options = 1;
		r.service[0].option[0] = (struct image_option){ option, value,
			"redis.conf:13: handler.do" };
	}
	why[0] = '\0';
	result = image_make(memfd, &r, why, sizeof(why));
	if (result == 0)
		result = image_read(memfd, &r, &image, why, sizeof(why));
	if (result == -1)
		printf("# %s\n", why);
	close(memfd);
	return result;
}

static int
refused(const char *handler, const char *option, const char *value,
    const char *text)
{
	return one(handler, option, value) == -1 && strstr(why, text) != NULL;
}

static void
test_good(void)
{
	const struct image_entry *e = &image.entry[0];

	ok(one("echo", NULL, NULL) == 0 && strcmp(e->name, "echo") == 0 &&
		e->path[0] == '\0',
	    "a built-in handler has no path");
	ok(one(copy("count2-migrates"), NULL, NULL) == 0 &&
		strcmp(e->name, "count") == 0 &&
		strcmp(e->version, "2.0") == 0 && e->state_version == 2 &&
		e->state_size == 16 && e->in_max == 4096 && e->migrates == 1 &&
		e->inode != 0 && e->size > 0,
	    "a module is described");
	ok(one(copy("naughty"), "text", "hello") == 0 && e->data_size == 6,
	    "what configure() fills in has a size");
}

static void
test_wrong_modules(void)
{
	ok(refused(copy("abi"), NULL, NULL, "redis.conf:12: handler: /tmp/") &&
		strstr(why, "abi.so: its ABI is 2, this echod has 1") != NULL,
	    "another ABI is refused, with file, line and module");
	ok(refused(copy("size"), NULL, NULL, "has 8 bytes"), "another size");
	ok(refused(copy("state"), NULL, NULL, "state_size is 4097"),
	    "a state that is too large");
	ok(refused(copy("no-symbol"), NULL, NULL, "no symbol echod_handler"),
	    "no symbol");
	ok(refused("/tmp/no/such.so", NULL, NULL,
	       "handler: /tmp/no/such.so: there is no such file"),
	    "no such file names what is missing");
	ok(refused("no-such-handler", NULL, NULL,
	       "\"no-such-handler\" is not built in (echo, raw, discard), and "
	       "there is no file /"),
	    "a name is a file of the directory of handlers");
	ok(refused("../echo", NULL, NULL, "is not a name"),
	    "a name is no way into another directory");
	ok(refused("/etc/passwd", NULL, NULL, "/etc/passwd: "),
	    "a file that is no module");
}

static void
test_options(void)
{
	const char *path = copy("naughty");

	ok(refused(path, "do", "fly",
	       "redis.conf:13: handler.do: it cannot fly"),
	    "a wrong option is named by its line");
	ok(refused(path, "do", "escape", "?[31mred?"),
	    "an error commands no terminal");
	ok(refused(path, "do", "crash",
	       "its configure() was killed by SIGSEGV"),
	    "a crash in configure() is named");
	ok(refused(path, "do", "overrun", "its configure() was killed by"),
	    "so is a write beyond the data");
	ok(refused(path, "do", "exit", "its configure() exited with status 0"),
	    "an exit is no success");
	ok(refused(path, "do", "much", "returned 1048577, the limit is"),
	    "more data than there can be");
	ok(refused(path, "do", "hang", "its configure() takes longer than 5 s"),
	    "a hang is ended");
	ok(refused(copy("no-options"), "do", "x",
	       "redis.conf:13: handler.do: handler naughty takes no options"),
	    "no options are taken");
	ok(refused("echo", "do", "x", "handler echo takes no options"),
	    "echo takes none");
}

/* Who may write to the file, or put another one there. */
static void
test_owners(void)
{
	char linked[PATH_MAX], below[PATH_MAX];
	const char *path = copy("count1");

	(void)chmod(path, 0757);
	ok(refused(path, NULL, NULL, "count1.so: others can write to it"),
	    "a file that everybody can write to");
	(void)chmod(path, 0755);
	(void)chmod(directory, 0757);
	ok(refused(path, NULL, NULL, "others can write to it") &&
		strstr(why, "count1.so: /tmp/") != NULL,
	    "a directory that everybody can write to");
	(void)chmod(directory, 0755);
	snprintf(linked, sizeof(linked), "%s/link.so", directory);
	ok(symlink("count1.so", linked) == 0 && one(linked, NULL, NULL) == 0,
	    "a symbolic link is followed");
	snprintf(below, sizeof(below), "%s/./../%s/link.so", directory,
	    strrchr(directory, '/') + 1);
	ok(one(below, NULL, NULL) == 0, "so are dots");
	(void)unlink(linked);
	ok(symlink("link.so", linked) == 0 &&
		refused(linked, NULL, NULL, "symbolic links"),
	    "but not for ever");
	(void)unlink(linked);
	ok(refused(directory, NULL, NULL, "not a regular file") ||
		strstr(why, "is a directory") != NULL,
	    "a directory is no module");
	if (geteuid() != 0) {
		ok(1, "a file of another user # SKIP not root");
		return;
	}
	ok(chown(path, 65534, 65534) == 0 &&
		refused(path, NULL, NULL, "it belongs to user 65534"),
	    "a file of another user");
	(void)chown(path, 0, 0);
}

/* What the child wrote is not believed. */
static void
test_spoilt(void)
{
	struct image_request r = { .services = 1 };
	int memfd = image_memfd(), refusals = 0, crashes = 0;
	struct stat st;
	unsigned char *p;

	r.service[0] = (struct image_service){ .name = "default",
		.handler = copy("naughty"),
		.where = "x" };
	r.service[0].options = 1;
	r.service[0].option[0] = (struct image_option){ "text", "hello", "x" };
	ok(image_make(memfd, &r, why, sizeof(why)) == 0 &&
		fstat(memfd, &st) == 0,
	    "an image to spoil");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    memfd, 0);
	if (p == MAP_FAILED)
		abort();
	for (off_t i = 0; i < st.st_size; i++) {
		unsigned char was = p[i];

		for (unsigned char c = 0; c < 255; c = c == 0 ? 1 : 255) {
			p[i] = c == 0 ? 0xff : (unsigned char)(was ^ 1);
			memset(&image, 0, sizeof(image));
			if (image_read(memfd, &r, &image, why, sizeof(why)) ==
			    -1)
				refusals++;
			else if (image.services != 1 ||
			    image.entry[0].in_max > ECHOD_IN_LIMIT ||
			    image.entry[0].data_size > ECHOD_CONFIG_LIMIT ||
			    image.entry[0].data_at + image.entry[0].data_size >
				(uint64_t)st.st_size ||
			    memchr(image.entry[0].path, '\0', LOAD_PATH) ==
				NULL)
				crashes++;
		}
		p[i] = was;
	}
	ok(refusals > 50 && crashes == 0,
	    "no byte of it leads out of bounds (%d refused)", refusals);
	r.service[0].option[0].value = "other";
	ok(image_read(memfd, &r, &image, why, sizeof(why)) == -1 &&
		strstr(why, "has changed since its check") != NULL,
	    "an image of other options");
	ok(ftruncate(memfd, 100) == 0 &&
		image_read(memfd, &r, &image, why, sizeof(why)) == -1,
	    "half an image");
	close(memfd);
}

static void
test_data(void)
{
	struct image_request r = { .services = 1 };
	int memfd = image_memfd(), data = -1;
	char text[16] = "";

	r.service[0] = (struct image_service){ .name = "default",
		.handler = copy("naughty"),
		.where = "x" };
	r.service[0].options = 1;
	r.service[0].option[0] = (struct image_option){ "text", "hello", "x" };
	ok(image_make(memfd, &r, why, sizeof(why)) == 0 &&
		image_read(memfd, &r, &image, why, sizeof(why)) == 0 &&
		(data = image_data(memfd, &image.entry[0])) != -1 &&
		pread(data, text, sizeof(text), 0) == 6 &&
		strcmp(text, "hello") == 0,
	    "the data of configure()");
	ok(pwrite(data, "x", 1, 0) == -1 && errno == EPERM &&
		mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0) ==
		    MAP_FAILED,
	    "nobody can write to it");
	close(memfd);
	close(data);
}

int
main(void)
{
	/* Sanitizers have handlers of their own, and children inherit them. */
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGBUS, SIG_DFL);
	char command[64];

	umask(022);
	if (mkdtemp(directory) == NULL)
		return 1;
	(void)chmod(directory, 0755);
	test_good();
	test_wrong_modules();
	test_options();
	test_owners();
	test_spoilt();
	test_data();
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	(void)!system(command);
	return tap_done();
}
