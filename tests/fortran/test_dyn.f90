! SPDX-License-Identifier: MIT
!> Tinker's .dyn: labels, number format, wrap indices, title; the file is replaced at one stroke.
module test_dyn
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_files, only : path_exists
   use fennix_cell, only : open_cell
   use fennix_dyn, only : restart_title, write_dyn
   use fennix_atoms, only : atoms_type
   use report_samples, only : fail_if, cubic, file_text, remove, water
   implicit none
   private
   public :: test_dyn_format, test_dyn_values, test_dyn_isolated, test_dyn_far_images, test_dyn_title, test_dyn_intact

   character(len=*), parameter :: path = "test_restart.dyn"
   character(len=1), parameter :: nl = new_line("a")

contains


!> Every label and the Fortran D format
subroutine test_dyn_format(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text
   type(atoms_type) :: atoms

   atoms = water([10.17879733691352_dp, 6.083668423095677_dp, -0.06701467652635995_dp])
   call remove(path)
   call write_dyn(path, atoms, cubic(54.99_dp), atoms%velocity, 2.0_dp*atoms%velocity, "one water", error)
   if (allocated(error)) return
   text = file_text(path)
   call fail_if(index(text, " Number of Atoms and Title :" // nl // "     3  one water" // nl &
      & // " Periodic Box Dimensions :" // nl &
      & // "    0.5499000000000000D+02    0.5499000000000000D+02    0.5499000000000000D+02" // nl &
      & // "    0.9000000000000000D+02    0.9000000000000000D+02    0.9000000000000000D+02" // nl &
      & // " Current Atomic Positions :" // nl &
      & // "    0.1017879733691352D+02    0.6083668423095677D+01   -0.6701467652635995D-01" // nl) /= 1, &
      & "not Tinker's layout:" // nl // text, error)
   call fail_if(index(text, nl // " Current Atomic Velocities :" // nl) == 0 .or. index(text, nl &
      & // " Current Atomic Accelerations :" // nl) == 0 .or. index(text, nl // " Alternate Atomic Accelerations :" &
      & // nl) == 0 .or. index(text, nl // " pbc wrap index :" // nl // repeat("  0  0  0" // nl, 3)) == 0, &
      & "a label is missing:" // nl // text, error)
   call fail_if(path_exists(path // ".tmp"), "the temporary file was left behind", error)
   call remove(path)
end subroutine test_dyn_format


!> Every block reads back, to the 16 digits of the format
subroutine test_dyn_values(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   real(dp) :: block(3, 3), accelerations(3, 3)
   integer :: unit, images(3, 3), k, iat

   atoms = water([30.0_dp, -16.0_dp, 1.0_dp/3.0_dp])
   accelerations = 1000.0_dp*sqrt(abs(atoms%position))
   call write_dyn(path, atoms, cubic(12.0_dp), accelerations, -accelerations, "one water", error)
   if (allocated(error)) return
   open(newunit=unit, file=path, status="old", action="read")
   read(unit, "(5/)")
   read(unit, *) block
   read(unit, "(a)")
   do k = 1, 3
      block = 0.0_dp
      call read_block(unit, k, atoms, accelerations, error)
   end do
   read(unit, *) images
   rewind(unit)
   read(unit, "(5/)")
   read(unit, *) block
   close(unit)
   do iat = 1, 3
      call fail_if(any(abs(block(:, iat) + 12.0_dp*images(:, iat) - atoms%position(:, iat)) > 1.0e-13_dp), &
         & "positions and wrap indices do not give the unwrapped positions", error)
      call fail_if(any(abs(block(:, iat)) > 6.0_dp), "positions are not folded", error)
   end do
   call remove(path)
end subroutine test_dyn_values


!> Velocities, then both accelerations
subroutine read_block(unit, which, atoms, accelerations, error)
   integer, intent(in) :: unit, which
   type(atoms_type), intent(in) :: atoms
   real(dp), intent(in) :: accelerations(:, :)
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: found(3, 3), expected(3, 3)

   read(unit, *) found
   read(unit, "(a)")
   expected = atoms%velocity
   if (which == 2) expected = accelerations
   if (which == 3) expected = -accelerations
   call fail_if(any(abs(found - expected) > 1.0e-15_dp*abs(expected)), "a block does not read back", error)
end subroutine read_block


!> An isolated system has a box of zeros
subroutine test_dyn_isolated(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms

   atoms = water([300.0_dp, 0.0_dp, 0.0_dp])
   call write_dyn(path, atoms, open_cell(), atoms%velocity, atoms%velocity, "one water", error)
   if (allocated(error)) return
   call fail_if(index(file_text(path), " Periodic Box Dimensions :" // nl // repeat("    0.0000000000000000D+00", 3) &
      & // nl) == 0, "the box of an isolated system is not zero", error)
   call fail_if(index(file_text(path), "    0.3000000000000000D+03") == 0, "positions were folded", error)
   call remove(path)
end subroutine test_dyn_isolated


!> Wrap indices beyond two digits stay apart
subroutine test_dyn_far_images(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   integer :: images(3, 3), unit, k

   atoms = water([-2400.0_dp, 1500.0_dp, 0.0_dp])
   call write_dyn(path, atoms, cubic(12.0_dp), atoms%velocity, atoms%velocity, "one water", error)
   if (allocated(error)) return
   open(newunit=unit, file=path, status="old", action="read")
   do k = 1, 5 + 5*4 - 3
      read(unit, "(a)")
   end do
   read(unit, *) images
   close(unit)
   call fail_if(any(images(:, 1) /= [-200, 125, 0]), "far wrap indices do not read back", error)
   call remove(path)
end subroutine test_dyn_far_images


!> The step stands once at the end of the title, however often a run was continued
subroutine test_dyn_title(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: title

   title = restart_title("Water  step by step", 1000_i8, 4000_i8, 1.5_dp)
   call fail_if(title /= "Water  step by step  step 1000 inner 4000 time 1.500000000", "title: " // title, error)
   title = restart_title(title, 2000_i8, 8000_i8, 1.5_dp)
   call fail_if(title /= "Water  step by step  step 2000 inner 8000 time 1.500000000", "title: " // title, error)
   title = restart_title("", 1_i8, 1_i8, 1.5_dp)
   title = restart_title(title, 2_i8, 2_i8, 1.5_dp)
   call fail_if(title /= "  step 2 inner 2 time 1.500000000", "title: " // title, error)
end subroutine test_dyn_title


!> A restart that cannot be written leaves no trace and says where
subroutine test_dyn_intact(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(atoms_type) :: atoms

   atoms = water([0.0_dp, 0.0_dp, 0.0_dp])
   call write_dyn("no/such/folder/a.dyn", atoms, open_cell(), atoms%velocity, atoms%velocity, "x", expected)
   if (.not. allocated(expected)) then
      call fatal_error(error, "a restart was written into a folder that is not there")
   else if (index(expected%message, "no/such/folder/a.dyn") == 0) then
      call fatal_error(error, "the message does not name the file: " // expected%message)
   end if
end subroutine test_dyn_intact

end module test_dyn
