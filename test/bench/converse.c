/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One program's conversation with a module: makes the calls of a file of test/bench/calls, and
 * prints how many commands and bytes the card got for it. In the sandbox, with one reader.
 *
 *   converse MODULE FILE
 *   converse bare FILE [by-select]    the same job by PC/SC itself
 *
 * With TRACE=1 in the environment each line of the file is printed, behind the commands so far. The
 * lines, where N is a slot by its place in the list, S a session, O an object, given names of one's
 * own, and ATTRIBUTES a list such as class,id:
 *
 *   options TEXT                  for our module, before initialize
 *   initialize, finalize
 *   slots all|present             C_GetSlotList, first for the length
 *   slot-info N, token-info N
 *   mechanisms N                  C_GetMechanismList, first for the length
 *   open S N, close S, session-info S
 *   login S                       with the PIN of the slot
 *   find S [class=CLASS] [token] [sign] [id=HEX] [ATTRIBUTE=O] [> O...]
 *   get S O ATTRIBUTES            C_GetAttributeValue, first for the lengths
 *   each S CLASS ATTRIBUTES       the same of each object of this class that was found last
 *   sign S O pkcs1|sha256|pss     a DigestInfo, a text, a hash
 *   from-here                     what follows is counted
 *
 * An object that a module does not show is passed over.
 */
#include "converse.h"

#include "bench.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    EXPECT(argc >= 3, "converse MODULE FILE");
    watchdog(60, argv[2]);
    const char *job = strrchr(argv[2], '/') != NULL ? strrchr(argv[2], '/') + 1 : argv[2];
    (void)card_command(0, "reset-counters");
    if (is_bare(argv[1])) {
        if (!do_bare(job, argc > 3))
            return 0;
    } else {
        FILE *calls = fopen(argv[2], "r");
        EXPECT(calls != NULL, "%s", argv[2]);
        p11_load(argv[1]);
        make_calls(calls, getenv("TRACE") != NULL);
        (void)fclose(calls);
    }
    figure(job, "commands", (double)card_counter(0, "commands"));
    figure(job, "bytes", (double)(card_counter(0, "bytes-in") + card_counter(0, "bytes-out")));
    return 0;
}
