"""Networks whose intermediate maps describe patches of a spectrogram: pretrained ones, and their controls."""
