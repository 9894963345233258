/* SPDX-License-Identifier: ISC */
/*
 * The entry of a fuzzer for one target, FUZZ_TARGET: libFuzzer's; or with
 * FUZZ_MAIN a main() of its own, for AFL++ and for one input by hand, which
 * reads standard input or the file that is named.
 */
#include <unistd.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return FUZZ_TARGET(data, size);
}

#ifdef FUZZ_MAIN

/* What AFL++ has its compiler say; without it, one input and no more. */
#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();
#else
#define __AFL_LOOP(n) 0
#endif

static void
once(FILE *in)
{
	static uint8_t data[1 << 20];

	(void)FUZZ_TARGET(data, fread(data, 1, sizeof(data), in));
}

int
main(int argc, char **argv)
{
#ifdef __AFL_FUZZ_TESTCASE_LEN
	const uint8_t *data;

	__AFL_INIT();
	data = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000))
		(void)FUZZ_TARGET(data, (size_t)__AFL_FUZZ_TESTCASE_LEN);
	return 0;
#endif
	if (argc == 1)
		once(stdin);
	for (int i = 1; i < argc; i++) {
		FILE *in = fopen(argv[i], "rb");

		if (in == NULL) {
			perror(argv[i]);
			return 1;
		}
		once(in);
		fclose(in);
	}
	return 0;
}

#endif
