/* Sizes, counts and digits as people write and read them. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"

#define TEXT_NUMBER 40

/* "64MiB", "64M" and "64 mib" are powers of 1024; "64MB" powers of 1000; "4096" and "4096B" bytes;
 * "1.5GiB" has a fraction; "50%" is a part of `whole` (0: percent is refused). `what` names the
 * option in the message: "--memory". */
nrw_status text_parse_size(const char *text, uint64_t whole, const char *what, uint64_t *out,
                           nrw_error *err) NRW_CHECKED;

/* "27.3 MiB", "32 MiB", "4.0 KiB", "100 bytes": into buf, which is returned. */
const char *text_size(uint64_t bytes, char buf[TEXT_NUMBER]);
/* The same in powers of 1000: "1.3 GB". */
const char *text_size10(uint64_t bytes, char buf[TEXT_NUMBER]);
/* Both in the unit of the second, "27.3 of 32 MiB"; each in its own where the first would be less
 * than a tenth: "27.3 MiB of 16.0 GiB". */
const char *text_size_of(uint64_t used, uint64_t limit, char buf[2 * TEXT_NUMBER]);
/* The smallest whole number of MiB (KiB below 1 MiB) that is at least `bytes`, as an option
 * value: "41MiB". */
const char *text_size_option(uint64_t bytes, char buf[TEXT_NUMBER]);
/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int text_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 1000000 -> "1,000,000" */
const char *text_group(uint64_t n, char buf[TEXT_NUMBER]);

#endif
