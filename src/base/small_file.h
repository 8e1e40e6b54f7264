/* Files of /proc and /sys: small, and read in one go. */
#ifndef BASE_SMALL_FILE_H
#define BASE_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Up to cap - 1 bytes as text; false, and an empty text, where there is nothing to be read. */
bool small_file_read(const char *path, char *out, size_t cap);

#endif
