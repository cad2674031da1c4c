! SPDX-License-Identifier: MIT
!> What --help and --version print.
module fennix_help
   use fennix_version, only : version
   implicit none
   private
   public :: help_text, version_text, version

   character(len=*), parameter :: nl = new_line("a")

contains


!> Text of --help
function help_text() result(text)
   character(len=:), allocatable :: text

   text = version_text() // nl // nl // &
      & "  fennix-dynamic NAME [nsteps dt_fs dump_ps ensemble T P] [options]" // nl // nl // &
      & "Molecular dynamics of NAME.xyz (Tinker's format) with neural networks, as NAME.key says." // nl // &
      & "NAME may carry a folder and an extension. When NAME.dyn is there the run continues from it." // nl // nl // &
      & "The values after NAME are also keywords, and go before those of the keyfile:" // nl // &
      & "  nsteps      steps        number of outer steps; 0 is a single point" // nl // &
      & "  dt_fs       timestep     outer time step, fs [1]" // nl // &
      & "  dump_ps     dump         time between frames, ps [0.1]" // nl // &
      & "  ensemble    ensemble     1 or nve, 2 or nvt (3 nph and 4 npt are not there yet)" // nl // &
      & "  T           temperature  K [298]" // nl // &
      & "  P           pressure     atm, without effect yet" // nl // nl // &
      & "Options" // nl // &
      & "  -k, --key FILE   keyfile, with or without .key [NAME.key, else tinker.key in NAME's folder]" // nl // &
      & "  --check          validate the input, say what would run, and stop" // nl // &
      & "  --minimize       minimise the energy, no dynamics" // nl // &
      & "  --rerun FILE     evaluate the frames of an .arc file with all models" // nl // &
      & "  --resume         continue exactly from the checkpoint NAME.chk" // nl // &
      & "  -v, --verbose    a line of the log for each step" // nl // &
      & "  --keywords       print the table of keywords" // nl // &
      & "  --version        print the version" // nl // &
      & "  -h, --help       print this" // nl // nl // &
      & "Example: fennix-dynamic water 1000 3.0 0.1 nvt 300 -k water.key"
end function help_text


!> Text of --version
function version_text() result(text)
   character(len=:), allocatable :: text

   text = "pyfennix " // version
end function version_text

end module fennix_help
