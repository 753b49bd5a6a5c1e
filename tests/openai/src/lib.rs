//! A stand-in for the OpenAI API: strict about what it is sent, with state, and able to misbehave on command.
