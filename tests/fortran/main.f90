! SPDX-License-Identifier: MIT
!> Runs the tests of the suites named on the command line, or all of them: exit 0 passed, 1 failed, 77 all skipped.
program fennix_tests
   use, intrinsic :: iso_fortran_env, only : error_unit, output_unit
   use fennix_arguments, only : command_words
   use fennix_strings, only : string_type
   use test_registry, only : add_cases
   use test_runner, only : case_type, failed, passed, run_case, skipped
   implicit none
   integer, parameter :: exit_failed = 1, exit_skipped = 77
   type(case_type), allocatable :: cases(:)
   type(string_type), allocatable :: suites(:)
   integer :: k, outcome, tally(0:2)

   allocate(cases(0))
   call add_cases(cases)
   call command_words(suites)
   do k = 1, size(suites)
      if (.not. any_case(suites(k)%text)) then
         write(error_unit, "(3a)") "there is no suite or test named '", suites(k)%text, "'"
         stop exit_failed, quiet=.true.
      end if
   end do
   tally = 0
   do k = 1, size(cases)
      if (.not. wanted(cases(k))) cycle
      call run_case(cases(k), outcome)
      tally(outcome) = tally(outcome) + 1
   end do
   write(output_unit, "(i0, a, i0, a, i0, a)") tally(passed), " passed, ", tally(failed), " failed, ", &
      & tally(skipped), " skipped"
   if (tally(failed) > 0) stop exit_failed, quiet=.true.
   if (tally(passed) == 0) stop exit_skipped, quiet=.true.

contains


!> True for tests of a suite that was asked for, or asked for by name, or when nothing was asked for
function wanted(case)
   type(case_type), intent(in) :: case
   logical :: wanted
   integer :: s

   wanted = size(suites) == 0
   do s = 1, size(suites)
      wanted = wanted .or. suites(s)%text == case%suite .or. suites(s)%text == case%name
   end do
end function wanted


!> True when the name is that of a suite or a test
function any_case(name)
   character(len=*), intent(in) :: name
   logical :: any_case
   integer :: c

   any_case = .false.
   do c = 1, size(cases)
      any_case = any_case .or. cases(c)%suite == name .or. cases(c)%name == name
   end do
end function any_case

end program fennix_tests
