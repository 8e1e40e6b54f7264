/* How a ceiling is shared among parts that take memory in some stages of a run. */
#include "api/job.h"
#include "testing.h"

#define MIB ((uint64_t)1 << 20)

static nrw_job job_of(uint64_t mib)
{
    return (nrw_job){.limits = {.ceiling = mib * MIB, .baseline = 4 * MIB, .held = MIB}};
}

static void parts_of_one_stage_share_what_is_left(void **state)
{
    const nrw_job job = job_of(35);
    const uint64_t least[] = {2 * MIB, MIB, MIB}, wish[] = {100 * MIB, 3 * MIB, UINT64_MAX};
    uint64_t grants[3], needs;

    (void)state;
    assert_int_equal(job_share(&job, least, wish, 3, grants, &needs), NRW_OK);
    assert_int_equal(grants[1], 3 * MIB);
    assert_int_equal(grants[0], grants[2] + MIB);
    assert_true(grants[0] + grants[1] + grants[2] > 30 * MIB - 3);
    assert_true(grants[0] + grants[1] + grants[2] <= 30 * MIB);
}

/* The second is there in both stages, so it is kept short by the fuller one alone. */
static void each_stage_has_all_of_it(void **state)
{
    const nrw_job job = job_of(35);
    bool takes[] = {true, false, true, true, false, true, false, true};
    const job_stages stages = {2, takes};
    const uint64_t least[4] = {0}, wish[] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, 4 * MIB};
    uint64_t grants[4], needs;

    (void)state;
    assert_int_equal(job_share_stages(&job, &stages, least, wish, 4, grants, &needs), NRW_OK);
    assert_int_equal(grants[3], 4 * MIB);
    assert_int_equal(grants[1], 13 * MIB);
    assert_int_equal(grants[2], 13 * MIB);
    assert_int_equal(grants[0], 17 * MIB);
    assert_int_equal(job_stages_most(&stages, grants, 4), 30 * MIB);
}

static void what_is_needed_is_the_fullest_stage(void **state)
{
    const nrw_job job = job_of(10);
    bool takes[] = {true, false, true, true, false, true};
    const job_stages stages = {2, takes};
    const uint64_t least[] = {2 * MIB, 2 * MIB, 4 * MIB}, wish[] = {MIB, MIB, MIB};
    uint64_t grants[3], needs;

    (void)state;
    assert_int_equal(job_share_stages(&job, &stages, least, wish, 3, grants, &needs),
                     NRW_E_MEMLIMIT);
    assert_int_equal(needs, 11 * MIB + MIB / 4);
}

/* What the fuller stage takes the other one may take too; the last part is in both. */
static void what_a_stage_leaves_is_shared(void **state)
{
    bool takes[] = {true, false, false, true, false, true, true, true};
    const job_stages stages = {2, takes};
    const uint64_t wish[] = {20 * MIB, UINT64_MAX, 5 * MIB, UINT64_MAX};
    uint64_t grants[] = {10 * MIB, 2 * MIB, 4 * MIB, MIB};

    (void)state;
    job_share_left(&stages, wish, 4, grants);
    assert_int_equal(grants[0], 10 * MIB);
    assert_int_equal(grants[1], 5 * MIB);
    assert_int_equal(grants[2], 5 * MIB);
    assert_int_equal(grants[3], MIB);
    assert_int_equal(job_stages_most(&stages, grants, 4), 11 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_one_stage_share_what_is_left),
        cmocka_unit_test(each_stage_has_all_of_it),
        cmocka_unit_test(what_is_needed_is_the_fullest_stage),
        cmocka_unit_test(what_a_stage_leaves_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
