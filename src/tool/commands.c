/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sub-commands. */
#include "tool.h"

/* Of sign; --profile goes with both. */
#define PDF_OPTIONS                                                                                \
    (ACCEPTS(OPTION_PDF) | ACCEPTS(OPTION_VISIBLE) | ACCEPTS(OPTION_NAME) |                        \
     ACCEPTS(OPTION_REASON) | ACCEPTS(OPTION_LOCATION) | ACCEPTS(OPTION_FIELD))
#define XML_OPTIONS                                                                                \
    (ACCEPTS(OPTION_XML) | ACCEPTS(OPTION_PROFILE) | ACCEPTS(OPTION_ID) | ACCEPTS(OPTION_ATTACH) | \
     ACCEPTS(OPTION_REFERENCE) | ACCEPTS(OPTION_C14N) | ACCEPTS(OPTION_FORM) |                     \
     ACCEPTS(OPTION_PLACE) | ACCEPTS(OPTION_PREFIX) | ACCEPTS(OPTION_SIGNATURE_ID) |               \
     ACCEPTS(OPTION_KEY_INFO))

static const struct command commands[] = {
    {
        .name = "status",
        .summary = BOTH(command_status),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_JSON) | ACCEPTS(OPTION_SIGN_PIN) |
                   ACCEPTS(OPTION_PIN_STDIN) | ACCEPTS(OPTION_PIN_ENV) | ACCEPTS(OPTION_LAST_TRY),
        .run = run_status,
    },
    {
        .name = "pin",
        .summary = BOTH(command_pin),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_ALL_FOUR_DIGIT) |
                   ACCEPTS(OPTION_PIN_STDIN) | ACCEPTS(OPTION_PIN_ENV) |
                   ACCEPTS(OPTION_NEW_PIN_ENV) | ACCEPTS(OPTION_LAST_TRY),
        .operands = {{"verify", "change"}, {"auth", "sign", "juki", "input"}},
        .run = run_pin,
    },
    {
        .name = "cert",
        .summary = BOTH(command_cert),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_PEM) | ACCEPTS(OPTION_DER) |
                   ACCEPTS(OPTION_TEXT) | ACCEPTS(OPTION_PIN_STDIN) | ACCEPTS(OPTION_PIN_ENV) |
                   ACCEPTS(OPTION_LAST_TRY),
        .operands = {{"auth", "sign", "auth-ca", "sign-ca"}},
        .run = run_cert,
    },
    {
        .name = "sign",
        .summary = BOTH(command_sign),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_KEY) | ACCEPTS(OPTION_CMS) |
                   ACCEPTS(OPTION_RAW) | ACCEPTS(OPTION_EMBED) | ACCEPTS(OPTION_PEM) |
                   ACCEPTS(OPTION_DIGEST) | ACCEPTS(OPTION_PSS) | ACCEPTS(OPTION_OUTPUT) |
                   ACCEPTS(OPTION_FORCE) | ACCEPTS(OPTION_PIN_STDIN) | ACCEPTS(OPTION_PIN_ENV) |
                   ACCEPTS(OPTION_LAST_TRY) | PDF_OPTIONS | XML_OPTIONS,
        .files = BOTH(operands_sign),
        .run = run_sign,
    },
    {
        .name = "verify",
        .summary = BOTH(command_verify),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_KEY) | ACCEPTS(OPTION_CMS) |
                   ACCEPTS(OPTION_RAW) | ACCEPTS(OPTION_DIGEST) | ACCEPTS(OPTION_PSS) |
                   ACCEPTS(OPTION_CA) | ACCEPTS(OPTION_CERT) | ACCEPTS(OPTION_OUTPUT) |
                   ACCEPTS(OPTION_FORCE) | ACCEPTS(OPTION_PIN_STDIN) | ACCEPTS(OPTION_PIN_ENV) |
                   ACCEPTS(OPTION_LAST_TRY) | ACCEPTS(OPTION_XML) | ACCEPTS(OPTION_ATTACH),
        .files = BOTH(operands_verify),
        .run = run_verify,
    },
    {
        .name = "setup",
        .summary = BOTH(command_setup),
        .options = ACCEPTS(OPTION_APPLY) | ACCEPTS(OPTION_REMOVE) | ACCEPTS(OPTION_SYSTEM),
        .operands = {{"firefox", "thunderbird", "chromium", "p11-kit", "openssl", "ssh", "java"}},
        .operands_optional = true,
        .run = run_setup,
    },
    {
        .name = "doctor",
        .summary = BOTH(command_doctor),
        .options = ACCEPTS(OPTION_READER),
        .run = run_doctor,
    },
    {
        .name = "trace",
        .summary = BOTH(command_trace),
        .options = ACCEPTS(OPTION_READER) | ACCEPTS(OPTION_YES),
        .files = BOTH(operand_file),
        .run = run_trace,
    },
    {
        .name = "help",
        .summary = BOTH(command_help),
        .files = BOTH(operand_command),
        .run = run_help,
    },
    {
        .name = "completion",
        .summary = BOTH(command_completion),
        .operands = {{"bash", "zsh", "fish"}},
        .run = run_completion,
        .hidden = true,
    },
};
const struct command_table command_table = {commands, sizeof commands / sizeof commands[0]};
