! SPDX-License-Identifier: MIT
!> Tinker restart files as they are read: every form, and files that are wrong.
module test_read_dyn
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_read_dyn, only : dyn_type, read_dyn
   use input_samples, only : lines
   use report_samples, only : remove, write_text
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_read_dyn_forms, test_read_dyn_no_velocities, test_read_dyn_mistakes

   character(len=*), parameter :: path = "read_dyn_test.dyn"
   character(len=*), parameter :: count = " Number of Atoms and Title :|     2  two atoms"
   character(len=*), parameter :: box = "| Periodic Box Dimensions :|" // &
      & "    0.5499000000000000D+02    0.4191000000000000D+02    0.4191000000000000D+02|" // &
      & "    0.9000000000000000D+02    0.9000000000000000D+02    0.9000000000000000D+02"
   character(len=*), parameter :: positions = "| Current Atomic Positions :|" // &
      & "    0.1017879733691352D+02   -0.5000000000000000D+00    0.1000000000000000D-01| 1 2 3"
   character(len=*), parameter :: velocities = "| Current Atomic Velocities :| 1.5 2 3| 4 5 -6"
   character(len=*), parameter :: rest = "| Current Atomic Accelerations :| 0 0 0| 0 0 0|" // &
      & " Alternate Atomic Accelerations :| 0 0 0| 0 0 0"

contains


!> With and without wrap block; ours states its steps
subroutine test_read_dyn_forms(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(dyn_type) :: dyn

   call read_text_as(count // box // positions // velocities // rest, dyn, raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, dyn%has_box .and. abs(dyn%cell%vectors(1, 1) - 54.99_dp) < 1.0e-13_dp, "box")
   call check(error, abs(dyn%position(1, 1) - 10.17879733691352_dp) <= 0.0_dp, "sixteen digits")
   call check(error, abs(dyn%velocity(3, 2) + 6.0_dp) <= 0.0_dp, "velocities")
   call check(error, dyn%step == -1 .and. dyn%inner_step == -1, "Tinker's files do not know their step")
   call read_text_as(count // " step 120 inner 480" // box // positions // velocities // rest // &
      & "| pbc wrap index :|  0  0  1|  0  0 -1", dyn, raised)
   call check(error, .not. allocated(raised) .and. dyn%step == 120 .and. dyn%inner_step == 480, "our own file")
   call check(error, allocated(dyn%image) .and. dyn%time < 0.0_dp, "wrap indices, no time")
   if (allocated(error)) return
   call check(error, all(dyn%image == reshape([0, 0, 1, 0, 0, -1], [3, 2])), "values of the wrap indices")
   call read_text_as(count // " step 120 inner 480 time 0.125000000" // positions // velocities, dyn, raised)
   call check(error, dyn%step == 120 .and. abs(dyn%time - 0.125_dp) <= 0.0_dp, "time")
   call read_text_as(count // positions // velocities, dyn, raised)
   call check(error, .not. allocated(raised) .and. .not. dyn%has_box, "no box block")
   call read_text_as(count // "| Periodic Box Dimensions :| 0 0 0| 90 90 90" // positions // velocities, dyn, raised)
   call check(error, .not. allocated(raised) .and. .not. dyn%has_box, "a box of zeros is an isolated system")
end subroutine test_read_dyn_forms


subroutine test_read_dyn_no_velocities(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(dyn_type) :: dyn

   call read_text_as(count // positions, dyn, raised)
   call check(error, .not. allocated(raised) .and. .not. allocated(dyn%velocity), "positions alone are enough")
end subroutine test_read_dyn_no_velocities


subroutine test_read_dyn_mistakes(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, " Number of Atoms and Title :|     3  three" // positions, "line 2|3 atoms|2")
   call refused(error, count // box // "| Current Atomic Positions :| 1 2 3", "ends within the positions|line 7")
   call refused(error, count // positions // "| Current Atomic Velocities :| 1 2 3| 1 NaN 3", "line 8|velocities|NaN")
   call refused(error, count // positions // "| Current Atomic Velocities :| 1 2 3| 1 2", "line 8|three numbers")
   call refused(error, count // "| Periodic Box Dimensions :| 10 10 10| 20 150 90" // positions, "line 5|volume")
   call refused(error, " hello| world", "no Tinker restart file")
   call refused(error, count // box, "no Tinker restart file")
end subroutine test_read_dyn_mistakes


subroutine refused(error, text, parts)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: text, parts
   type(error_type), allocatable :: raised
   type(dyn_type) :: dyn

   call read_text_as(text, dyn, raised)
   call expect_error(error, raised, path // "|" // parts)
end subroutine refused


subroutine read_text_as(text, dyn, error)
   character(len=*), intent(in) :: text
   type(dyn_type), intent(out) :: dyn
   type(error_type), allocatable, intent(out) :: error

   call write_text(path, lines(text))
   call read_dyn(dyn, path, 2, error)
   call remove(path)
end subroutine read_text_as

end module test_read_dyn
