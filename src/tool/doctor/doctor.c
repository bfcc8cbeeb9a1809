/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool doctor: walks from the system to the card, and to the programs. */
#include "doctor/doctor.h"

#include <stdlib.h>

#define NEEDS(check) (1U << (check))

struct check {
    struct text name;    /* where it is not looked at */
    unsigned needs;      /* NEEDS(...) */
    enum exit_code code; /* when it finds something wrong */
    void (*run)(struct doctor *doctor);
};

static const struct check checks[CHECKS] = {
    [CHECK_INSTALLED] = {BOTH(check_installed), 0, EXIT_NO_CARD, check_installed},
    [CHECK_RUNNING] = {BOTH(check_running), NEEDS(CHECK_INSTALLED), EXIT_NO_CARD, check_running},
    [CHECK_PERMITTED] = {BOTH(check_permitted), NEEDS(CHECK_RUNNING), EXIT_NO_CARD,
                         check_permitted},
    [CHECK_PLUGGED] = {BOTH(check_plugged), 0, EXIT_NO_CARD, check_plugged},
    [CHECK_DRIVER] = {BOTH(check_driver), NEEDS(CHECK_PLUGGED), EXIT_NO_CARD, check_driver},
    [CHECK_READER] = {BOTH(check_reader), NEEDS(CHECK_PERMITTED) | NEEDS(CHECK_DRIVER),
                      EXIT_NO_CARD, check_reader},
    [CHECK_CARD] = {BOTH(check_card), NEEDS(CHECK_READER), EXIT_NO_CARD, check_card},
    [CHECK_FREE] = {BOTH(check_free), NEEDS(CHECK_CARD), EXIT_BUSY, check_free},
    [CHECK_ANSWERS] = {BOTH(check_answers), NEEDS(CHECK_FREE), EXIT_FAILED, check_answers},
    [CHECK_KIND] = {BOTH(check_kind), NEEDS(CHECK_ANSWERS), EXIT_NO_CARD, check_kind},
    [CHECK_PINS] = {BOTH(check_pins), NEEDS(CHECK_KIND), EXIT_LOCKED, check_pins},
    [CHECK_CERTIFICATES] = {BOTH(check_certificates), NEEDS(CHECK_KIND), EXIT_FAILED,
                            check_certificates},
    [CHECK_MODULE] = {BOTH(check_module), 0, EXIT_FAILED, check_module},
    [CHECK_LOADABLE] = {BOTH(check_loadable), NEEDS(CHECK_MODULE), EXIT_FAILED, check_loadable},
    [CHECK_PROGRAMS] = {BOTH(check_programs), 0, EXIT_FAILED, check_programs},
};

/* ---- The walk --------------------------------------------------------------------------- */

/* What is needed for the check and not there: the first such. CHECKS: nothing. */
static enum check_id missing_for(const struct doctor *doctor, enum check_id id)
{
    enum check_id needed = 0;
    while (needed < id &&
           ((checks[id].needs & NEEDS(needed)) == 0 || doctor->verdicts[needed] < VERDICT_WRONG))
        needed++;
    return needed < id ? needed : CHECKS;
}

static void walk(struct doctor *doctor)
{
    for (enum check_id id = 0; id < CHECKS; id++) {
        doctor->current = id;
        if (missing_for(doctor, id) == CHECKS)
            checks[id].run(doctor);
        else
            report(doctor, VERDICT_NOT_LOOKED, TEXT(doctor_not_looked), text_of(&checks[id].name));
    }
}

/* The last line, and the status: that of the first check that found something wrong. */
static enum exit_code sum_up(const struct doctor *doctor)
{
    unsigned wrong = doctor->lines[VERDICT_WRONG], warnings = doctor->lines[VERDICT_WARNING];
    if (wrong > 0)
        say(TEXT(doctor_wrong), wrong, warnings);
    else if (warnings > 0)
        say(TEXT(doctor_warnings), warnings);
    else
        say(TEXT(doctor_fine));
    for (enum check_id id = 0; id < CHECKS; id++)
        if (doctor->verdicts[id] == VERDICT_WRONG)
            return checks[id].code;
    return EXIT_OK;
}

enum exit_code run_doctor(struct tool *tool)
{
    struct doctor doctor = {.tool = tool};
    enum exit_code code = open_readers(tool);
    if (code != EXIT_OK)
        return code;
    walk(&doctor);
    free(doctor.readers);
    return sum_up(&doctor);
}
