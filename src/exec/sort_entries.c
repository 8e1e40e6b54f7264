/* Rows in memory put in the order of their keys: quicksort in place, so that it takes no memory
 * that no account knows, with a heap where the keys would make it slow. */
#include "exec/sort_run.h"

/* So many rows take a while. */
#define LONG 65536u

static void swap(sort_entry *a, sort_entry *b)
{
    sort_entry t = *a;

    *a = *b;
    *b = t;
}

static bool before(const row_layout *l, const sort_entry *a, const sort_entry *b)
{
    return sort_compare(l, a, b) < 0;
}

static void insert_sort(const row_layout *l, sort_entry *e, uint64_t n)
{
    for (uint64_t i = 1; i < n; i++) {
        sort_entry x = e[i];
        uint64_t at = i;
        for (; at && before(l, &x, &e[at - 1]); at--)
            e[at] = e[at - 1];
        e[at] = x;
    }
}

static void sift_down(const row_layout *l, sort_entry *e, uint64_t at, uint64_t n)
{
    for (uint64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && before(l, &e[child], &e[child + 1]))
            child++;
        if (!before(l, &e[at], &e[child]))
            return;
        swap(&e[at], &e[child]);
        at = child;
    }
}

static void heap_sort(const row_layout *l, sort_entry *e, uint64_t n)
{
    for (uint64_t i = n / 2; i-- > 0;)
        sift_down(l, e, i, n);
    while (n-- > 1) {
        swap(&e[0], &e[n]);
        sift_down(l, e, 0, n);
    }
}

/* The median of three in the middle parts them; where it ends, those before it are not behind it.
 */
static uint64_t part(const row_layout *l, sort_entry *e, uint64_t n)
{
    uint64_t i = 0, j = n - 1, mid = n / 2;
    sort_entry pivot;

    if (before(l, &e[mid], &e[0]))
        swap(&e[mid], &e[0]);
    if (before(l, &e[j], &e[mid]))
        swap(&e[j], &e[mid]);
    if (before(l, &e[mid], &e[0]))
        swap(&e[mid], &e[0]);
    pivot = e[mid];
    for (;; i++, j--) {
        while (before(l, &e[i], &pivot))
            i++;
        while (before(l, &pivot, &e[j]))
            j--;
        if (i >= j)
            return j + 1;
        swap(&e[i], &e[j]);
    }
}

/* In place; keys differ, so that nothing depends on how equal ones are treated. `depth`: after so
 * many bad parts it is a heap's turn. */
static void quick_sort(const row_layout *l, sort_entry *e, uint64_t n, int depth,
                       const cancel_flag *cancel)
{
    while (n > 16) {
        if (n > LONG && is_cancelled(cancel))
            return;
        if (!depth--) {
            heap_sort(l, e, n);
            return;
        }
        uint64_t at = part(l, e, n);
        if (at < n - at) {
            quick_sort(l, e, at, depth, cancel);
            e += at;
            n -= at;
        } else {
            quick_sort(l, e + at, n - at, depth, cancel);
            n = at;
        }
    }
    insert_sort(l, e, n);
}

void sort_entries(const row_layout *l, sort_entry *e, uint64_t n, const cancel_flag *cancel)
{
    bool sorted = true;

    for (uint64_t i = 1; sorted && i < n; i++)
        sorted = before(l, &e[i - 1], &e[i]);
    if (!sorted)
        quick_sort(l, e, n, 2 * (64 - __builtin_clzll(n)), cancel);
}
