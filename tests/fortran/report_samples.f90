! SPDX-License-Identifier: MIT
!> Small systems and file helpers shared by the tests of what is written.
module report_samples
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_files, only : file_size, remove_file
   use fennix_cell, only : cell_type, new_cell
   use fennix_atoms, only : atoms_type
   implicit none
   private
   public :: fail_if, water, water_sums, cubic, file_text, write_text, remove

contains


!> Fail with a message unless something has failed before
subroutine fail_if(condition, message, error)
   logical, intent(in) :: condition
   character(len=*), intent(in) :: message
   type(error_type), allocatable, intent(inout) :: error

   if (condition .and. .not. allocated(error)) call fatal_error(error, message)
end subroutine fail_if


!> One water whose oxygen lies at the given place, Å
function water(origin) result(atoms)
   real(dp), intent(in) :: origin(3)
   type(atoms_type) :: atoms

   atoms%title = "one water"
   atoms%n = 3
   atoms%name = ["O       ", "H       ", "H       "]
   atoms%kind = [1, 2, 2]
   atoms%number = [8_i4, 1_i4, 1_i4]
   atoms%id = [0_i4, 1_i4, 2_i4]
   atoms%mass = [15.999_dp, 1.008_dp, 1.008_dp]
   atoms%position = spread(origin, 2, 3)
   atoms%position(:, 2) = atoms%position(:, 2) + [0.9572_dp, 0.0_dp, 0.0_dp]
   atoms%position(:, 3) = atoms%position(:, 3) + [-0.23998_dp, 0.92663_dp, 0.0_dp]
   atoms%velocity = reshape([1.5_dp, -2.25_dp, 1.0_dp/3.0_dp, 10.0_dp, 0.0_dp, -7.0_dp, 1.0e-9_dp, 20.0_dp, 3.0_dp], &
      & [3, 3])
   atoms%bond_first = [1, 3, 4, 5]
   atoms%bond = [2, 3, 1, 1]
end function water


!> Atoms of each atomic number in one water, and their mass, g/mol
pure subroutine water_sums(composition, mass_of)
   integer(i8), intent(out) :: composition(0:118)
   real(dp), intent(out) :: mass_of(0:118)

   composition = 0_i8
   composition([1, 8]) = [2_i8, 1_i8]
   mass_of = 0.0_dp
   mass_of([1, 8]) = [2.016_dp, 15.999_dp]
end subroutine water_sums


!> Cube of the given edge, Å
function cubic(edge) result(cell)
   real(dp), intent(in) :: edge
   type(cell_type) :: cell
   type(error_type), allocatable :: error

   call new_cell(cell, spread(edge, 1, 3), spread(90.0_dp, 1, 3), error)
end function cubic


!> All bytes of a file
function file_text(path) result(text)
   character(len=*), intent(in) :: path
   character(len=:), allocatable :: text
   integer :: unit

   allocate(character(len=max(0_i8, file_size(path))) :: text)
   open(newunit=unit, file=path, access="stream", form="unformatted", status="old", action="read")
   read(unit) text
   close(unit)
end function file_text


!> A file of exactly these bytes
subroutine write_text(path, text)
   character(len=*), intent(in) :: path, text
   integer :: unit

   open(newunit=unit, file=path, access="stream", form="unformatted", status="replace", action="write")
   write(unit) text
   close(unit)
end subroutine write_text


!> A file and the copies that the program keeps of it
subroutine remove(path)
   character(len=*), intent(in) :: path
   type(error_type), allocatable :: error

   call remove_file(path, error)
   call remove_file(path // ".1", error)
   call remove_file(path // ".2", error)
   call remove_file(path // ".prev", error)
   call remove_file(path // ".tmp", error)
end subroutine remove

end module report_samples
