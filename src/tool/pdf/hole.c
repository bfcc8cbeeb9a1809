/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a signature leaves out of a PDF: the place of the signature itself. */
#include "pdf/changes.h"

bool pdf_read_range(struct pdf *pdf, qpdf_oh signature, size_t range[PDF_RANGE])
{
    qpdf_oh array = pdf_get(pdf, signature, "/ByteRange");
    if (!qpdf_oh_is_array(pdf->qpdf, array) ||
        qpdf_oh_get_array_n_items(pdf->qpdf, array) != PDF_RANGE)
        return false;
    for (int i = 0; i < PDF_RANGE; i++) {
        long long number;
        qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, array, i);
        if (!qpdf_oh_get_value_as_longlong(pdf->qpdf, item, &number) || number < 0 ||
            (unsigned long long)number > pdf->size)
            return false;
        range[i] = (size_t)number;
    }
    return range[PDF_FIRST] == 0 && range[PDF_SECOND] > range[PDF_FIRST_LENGTH] &&
           range[PDF_SECOND_LENGTH] <= pdf->size - range[PDF_SECOND];
}
