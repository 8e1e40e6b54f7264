#include "testing.h"

#include "exec/crew.h"

#include <stdatomic.h>
#include <unistd.h>

typedef struct helper {
    crew crew;
    _Atomic int entered;
} helper;

static void *help(void *arg)
{
    helper *h = arg;

    crew_enter(&h->crew, 1);
    atomic_fetch_add(&h->entered, 1);
    return NULL;
}

/* Morsels that take longer than the patience of those that wait. */
static void others_join_where_morsels_are_heavy(void **state)
{
    helper h = {.entered = 0};
    pthread_t t;

    (void)state;
    crew_init(&h.crew, 2);
    crew_enter(&h.crew, 0);
    assert_int_equal(pthread_create(&t, NULL, help, &h), 0);
    pthread_join(t, NULL); /* worker 0 never comes back */
    assert_int_equal(h.entered, 1);
    assert_false(h.crew.alone);
    crew_release(&h.crew);
}

/* A window that ended in time keeps the others out; the end of the work lets them go. */
static void one_stays_alone_where_they_are_not(void **state)
{
    helper h = {.entered = 0};
    pthread_t t;
    bool alone = true;

    (void)state;
    crew_init(&h.crew, 2);
    for (int i = 0; i < 64; i++)
        crew_enter(&h.crew, 0);
    alone = h.crew.alone;
    crew_end(&h.crew);
    assert_int_equal(pthread_create(&t, NULL, help, &h), 0);
    pthread_join(t, NULL);
    assert_int_equal(h.entered, 1);
    assert_true(alone);
    crew_release(&h.crew);
}

static void all_are_tried_alone_again(void **state)
{
    crew c;

    (void)state;
    crew_init(&c, 2);
    while (c.alone) { /* slow at first */
        usleep(200);
        crew_enter(&c, 0);
    }
    for (int i = 0; i < 257 && !c.alone; i++)
        crew_enter(&c, (uint32_t)(i & 1));
    assert_true(c.alone);
    crew_release(&c);
}

static void heavy_work_is_left_to_all(void **state)
{
    crew c;

    (void)state;
    crew_init(&c, 4);
    c.alone = false;
    c.since -= 257 * (uint64_t)1000000; /* as if each took a millisecond */
    for (int i = 0; i < 257; i++)
        crew_enter(&c, (uint32_t)(i & 3));
    assert_false(c.alone);
    crew_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_join_where_morsels_are_heavy),
        cmocka_unit_test(one_stays_alone_where_they_are_not),
        cmocka_unit_test(all_are_tried_alone_again),
        cmocka_unit_test(heavy_work_is_left_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
