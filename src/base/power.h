/* Powers of ten, as far as 128 bits hold them. */
#ifndef BASE_POWER_H
#define BASE_POWER_H

#include <stdbool.h>

extern const __int128 powers_of_ten[39];

/* Whether |x| has more than `digits` digits, 0 to 38. */
static inline bool beyond_digits(__int128 x, int digits)
{
    return x >= powers_of_ten[digits] || x <= -powers_of_ten[digits];
}

#endif
